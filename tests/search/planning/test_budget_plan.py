"""The arithmetic of a budget's plan, for any numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.planning.budget_plan import MARGIN, BudgetPlan
from search.terms.time_left import TimeLeft

SECONDS = st.floats(1.0, 1e6)


@given(SECONDS, st.floats(0.0, 1.0), st.integers(1, 64), st.floats(1e-3, 1e5), st.integers(1, 300))
def test_what_is_planned_fits_into_what_is_left(
    total: float, part: float, lanes: int, epoch: float, most: int
) -> None:
    plan = BudgetPlan(TimeLeft(part * total, total, lanes))
    (longest,) = plan.longest(np.array([epoch]), np.array([float(most)]))
    assert 0 <= longest <= most and longest == int(longest)
    assert longest * epoch <= part * total * (1 - MARGIN) + 1e-6
    assert longest == most or (longest + 1) * epoch > part * total * (1 - MARGIN) - 1e-6
    (horizon,) = plan.horizon(np.array([epoch]), np.array([float(most)]))
    assert horizon * epoch <= plan.finale


@given(SECONDS, st.floats(0.0, 1.0), st.floats(0.0, 1e6))
def test_exploration_never_uses_what_the_finale_needs(
    total: float, part: float, need: float
) -> None:
    plan = BudgetPlan(TimeLeft(part * total, total, 2))
    spare = plan.spare(need)
    assert spare + min(need, plan.finale) <= part * total + 1e-6
    assert plan.spare(0.0) == part * total


@given(SECONDS, st.floats(1e-3, 1e5))
def test_a_known_design_may_be_dearer_than_any_other(total: float, epoch: float) -> None:
    plan = BudgetPlan(TimeLeft(total, total, 1))
    if plan.may_begin(epoch, known=False):
        assert plan.may_begin(epoch, known=True)
        assert plan.may_begin(epoch / 2, known=False)

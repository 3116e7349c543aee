"""The finale: which design leads, and how much time is kept for it, from hand-made histories."""

from types import SimpleNamespace
from typing import Any

import pytest

from search.planning.budget_plan import MARGIN, BudgetPlan
from search.planning.finale import Finale
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.time_left import TimeLeft

SPACE: Any = SimpleNamespace(
    max_epochs=30,
    persistence=lambda design: 1.0,
    is_result=lambda design, epoch: True,
    in_one_cycle=lambda design, epochs: design,
)
LEFT = TimeLeft(1000.0, 1000.0, 1)


def finale(*trials: tuple[str, float, float]) -> Finale[int]:
    """A finale after trials of three epochs: name, accuracy after the last, seconds of an epoch."""
    history: RunHistory[int] = RunHistory(0)
    for number, (name, accuracy, seconds) in enumerate(trials):
        history.start(ObservedTrial(number, number, 30, 3, name))
        for epoch, part in ((1, 0.8), (2, 0.85), (3, 1.0)):
            history.tell(number, epoch, part * accuracy, seconds)
    return Finale(BudgetPlan(LEFT), SPACE, history, lambda design: True)


def chosen(*trials: tuple[str, float, float]) -> int:
    action = finale(*trials).action
    assert action is not None
    return action.design


def test_the_lowest_expected_error_leads() -> None:
    assert chosen(("", 0.70, 10), ("", 0.75, 10), ("", 0.72, 10)) == 1
    assert chosen(("", 0.70, 10), ("", 0.70, 60)) == 0  # which is trained for more epochs


def test_a_known_design_leads_where_results_are_alike() -> None:
    assert chosen(("", 0.753, 10), ("recipe", 0.750, 10)) == 1
    assert chosen(("", 0.780, 10), ("recipe", 0.750, 10)) == 0


def test_a_design_that_was_seen_at_one_rung_alone_does_not_lead() -> None:
    history: RunHistory[int] = RunHistory(0)
    for number, last_epoch in enumerate((3, 1)):
        history.start(ObservedTrial(number, number, 30, last_epoch))
        for epoch in range(1, last_epoch + 1):
            history.tell(number, epoch, 0.6 + 0.01 * epoch + 0.1 * number, 10.0)

    def action(history: RunHistory[int]) -> Any:
        return Finale(BudgetPlan(LEFT), SPACE, history, lambda design: True).action

    assert action(history).design == 0
    alone: RunHistory[int] = RunHistory(0)
    alone.start(ObservedTrial(1, 1, 30, 1))
    alone.tell(1, 1, 0.7, 10.0)
    assert action(alone).design == 1  # where there is no other


@pytest.mark.parametrize(("dearest", "needed"), [(5.0, 150.0), (15.0, 450.0), (50.0, 650.0)])
def test_time_is_kept_for_the_dearest_of_three_leaders(dearest: float, needed: float) -> None:
    """Up to the finale's share; the first leader alone needs 30 epochs of 5 seconds."""
    cheap = [("recipe", 0.76, 5.0), ("recipe", 0.75, 5.0), ("recipe", 0.50, 60.0)]
    spare = finale(*cheap, ("recipe", 0.755, dearest)).spare
    assert spare == pytest.approx(1000 - min(650, needed / (1 - MARGIN)))


def test_without_any_result_all_is_spare() -> None:
    assert finale().spare == 1000
    assert finale().action is None

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.terms.budget import Budget, parse


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["20min"], Budget(seconds=1200)),
        (["1.5h"], Budget(seconds=5400)),
        (["6gpuh"], Budget(gpu_hours=6)),
        (["$20"], Budget(money=20)),
        (["200trials"], Budget(trials=200)),
        (["30min", "2 h", "$5.50,10trials"], Budget(seconds=1800, money=5.5, trials=10)),
    ],
)
def test_forms(texts: list[str], expected: Budget) -> None:
    assert parse(texts) == expected


@pytest.mark.parametrize("text", ["", "20", "min", "20 parsecs", "$", "$5h", "-3min", "1.5trials"])
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"--budget .* cannot be read: give 30s, 30min"):
        parse([text])


def test_nothing_is_no_budget() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        parse(["0min"])


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_spent_names_a_limit_that_is_reached(seconds: float, hours: float, money: float) -> None:
    budget = Budget(seconds=1000, gpu_hours=100, money=10)
    reached = {
        name
        for name, used, limit in (
            ("time", seconds, 1000),
            ("GPU-hours", hours, 100),
            ("money", money, 10),
        )
        if used >= limit
    }
    found = budget.spent(seconds, hours, money)
    assert found in reached if reached else found == ""
    assert Budget().spent(seconds, hours, money) == ""


def test_for_people() -> None:
    assert str(parse(["90min,6gpuh"])) == "1 h 30 min or 6 GPU-hours"
    assert str(parse(["73s,1trials"])) == "1 min 13 s or 1 trial"
    assert str(Budget(gpu_hours=1.3000100004, money=7.123456789)) == (
        "1.3 GPU-hours or 7.12 in money"
    )
    assert str(Budget()) == "none"
    assert Budget().trials == math.inf


@pytest.mark.parametrize(
    ("text", "limits_use"),
    [("30min", False), ("200trials", False), ("6gpuh", True), ("$20", True), ("1h,$20", True)],
)
def test_only_some_limits_are_on_what_trials_hold(text: str, limits_use: bool) -> None:
    assert parse([text]).limits_use == limits_use


@pytest.mark.parametrize(
    ("text", "beside", "expected"),
    [("20min", 25.0, 1175.0), ("1min", 25.0, 57.0), ("20trials", 25.0, math.inf)],
)
def test_what_is_beside_the_search_takes_a_twentieth_at_most(
    text: str, beside: float, expected: float
) -> None:
    assert parse([text]).without(beside).seconds == pytest.approx(expected)

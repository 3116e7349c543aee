import math
from dataclasses import replace

import pytest

from search.strategy.stopping_rule import WINDOW, Stopping, can_pause, parse
from search.terms.gain_record import GainRecord


def records(*points: float, seconds: float = 3600.0) -> list[GainRecord]:
    """Two cores for an hour each; new designs and paused trials by turns."""
    return [GainRecord(p, seconds, n % 2 == 0, 0.5, 100.0 * n) for n, p in enumerate(points)]


RULE = Stopping(1.0, "coreh", cpus_per_worker=2.0)


def test_it_ends_when_all_of_the_newest_promise_too_little() -> None:
    rich = records(*[3.0] * 5, *[1.9] * (WINDOW - 1))
    assert not RULE.is_due(rich)
    poor = records(*[3.0] * 5, *[1.9] * WINDOW)  # 1.9 points for two core-hours
    assert RULE.is_due(poor)
    assert RULE.offered(poor) == pytest.approx(0.95)
    assert RULE.first_due(poor) == len(poor) - 1
    assert RULE.first_due(rich) is None


def test_it_goes_on_while_too_little_is_known() -> None:
    assert RULE.offered(records(*[0.1] * (WINDOW - 1))) == math.inf
    only_new = [GainRecord(0.1, 3600.0, True, 0.5, 1.0)] * WINDOW
    assert not RULE.is_due(only_new)
    assert replace(RULE, pauses=False).is_due(only_new)  # there is no other kind
    assert [can_pause(epochs) for epochs in (None, 1, 2, 10)] == [True, False, True, True]
    assert not Stopping(0.0).is_due(records(*[0.0] * WINDOW))


def test_units() -> None:
    assert Stopping(1.0, "gpuh", 1.0, 0.5).cost(7200) == 1.0
    assert Stopping(1.0, "coreh", 4.0, 0.0).cost(900) == 1.0
    assert Stopping(1.0, "money", 1.0, 1.0, 2.0).cost(1800) == 1.0


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("0.5 points per gpuh", (0.5, "gpuh")),
        ("1 point per coreh", (1.0, "coreh")),
        ("2points per $", (2.0, "money")),
        (" 3 Points Per money ", (3.0, "money")),
    ],
)
def test_prices_are_read(text, known) -> None:
    assert parse(text) == known


@pytest.mark.parametrize("text", ["", "0.5", "0 points per gpuh", "-1 points per gpuh", "1 per h"])
def test_prices_that_are_none(text) -> None:
    with pytest.raises(ValueError, match="points per gpuh"):
        parse(text)

"""The law of learning curves, on curves that are known."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.surrogate.power_law import fall, log_errors
from search.surrogate.run_history import ObservedTrial

SPACE = SimpleNamespace(
    persistence=lambda design: 1.0 if design < 10 else 0.5,
    is_result=lambda design, epoch: design != 20 or epoch == 9,
)


def trial(number: int, *results: tuple[int, float]) -> ObservedTrial[int]:
    last = results[-1]
    return ObservedTrial(
        number, number, 30, 30, last_epoch=last[0], results=list(results), newest=last[1]
    )


def test_it_goes_through_the_curve_that_it_was_taken_from() -> None:
    """77.1, 84.8 and 86.6 % after 3, 11 and 25 epochs, from 61.0 % after the first."""
    error = 0.39
    for epoch, accuracy in ((3, 0.771), (11, 0.848), (25, 0.866)):
        assert error * np.exp(-fall(1, epoch)) == pytest.approx(1 - accuracy, abs=0.012)


@given(st.floats(1, 100), st.floats(1, 100), st.floats(1, 100))
def test_it_only_falls_and_adds_up(one: float, two: float, three: float) -> None:
    first, second, third = sorted((one, two, three))
    assert fall(first, second) >= 0
    assert fall(first, second) + fall(second, third) == pytest.approx(fall(first, third), abs=1e-9)


def test_more_epochs_of_a_small_design_do_not_outweigh_what_a_large_one_shows() -> None:
    small, large = trial(0, (1, 0.60), (3, 0.66)), trial(1, (1, 0.63))
    slow = log_errors(SPACE, [small, large], np.array([16.0, 7.0]))
    assert slow[1] < slow[0]  # the small one's curve was seen to flatten
    alike = log_errors(SPACE, [trial(0, (1, 0.6)), trial(1, (1, 0.6))], np.array([16.0, 7.0]))
    assert alike[0] < alike[1]


@given(st.floats(0.1, 0.9), st.floats(0.0, 0.09), st.integers(4, 30))
def test_what_is_forecast_is_never_worse_than_what_is_there(
    accuracy: float, gain: float, epochs: int
) -> None:
    seen = trial(0, (1, accuracy), (3, accuracy + gain))
    (forecast,) = log_errors(SPACE, [seen], np.array([float(epochs)]))
    assert forecast <= np.log(1 - accuracy - gain) + 1e-9


def test_a_design_that_learns_by_heart_falls_more_slowly() -> None:
    lasting, short = trial(0, (1, 0.6), (3, 0.7)), trial(10, (1, 0.6), (3, 0.7))
    errors = log_errors(SPACE, [lasting, short], np.array([20.0, 20.0]))
    assert np.log(0.3) - errors[1] == pytest.approx((np.log(0.3) - errors[0]) / 2)


def test_what_is_no_result_says_nothing() -> None:
    """In the middle of a cycle the accuracy is not what a training of so many epochs gives."""
    in_one_cycle = trial(20, (1, 0.4), (3, 0.45), (9, 0.8))
    alone = log_errors(SPACE, [trial(0, (1, 0.6))], np.array([9.0]))
    beside = log_errors(SPACE, [trial(0, (1, 0.6)), in_one_cycle], np.array([9.0, 9.0]))
    assert beside[0] == alone[0]
    assert beside[1] == pytest.approx(np.log(0.2))

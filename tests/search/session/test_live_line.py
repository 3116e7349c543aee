"""What a search says of its trials while it runs."""

import pytest

from models.design import Design
from search.record.state import SearchState, fold
from search.session.live_line import describe
from search.terms.plan import Plan
from tests.search.hand_made import end, epoch, trial

SMALL = Design(kernels=((32,), (64,)), batch_norm=True)


def story(seconds: float, epochs: int = 1, **fields: str) -> SearchState:
    told = [epoch(0, number + 1, 0.5, seconds) for number in range(epochs)]
    return fold([trial(0, SMALL, **fields), *told, end(0, "stopped", "ended early")])


@pytest.mark.parametrize(
    ("seconds", "epochs", "words"),
    [
        (0.0451, 1, "50.0% after 1 epoch, stopped (ended early)"),
        (0.0451, 1, "45.1 ms of training"),
        (0.1, 2, "after 2 epochs"),
        (0.1, 2, "0.2 s of training"),
        (100.0, 2, "3 min 20 s of training"),
        (1.0, 0, "no result after 0 epochs"),
        (1.0, 1, "cnn 32-64, bn, adam 1e-3; 1,000 parameters"),
    ],
)
def test_a_trial_in_a_line(seconds: float, epochs: int, words: str) -> None:
    line = describe(story(seconds, epochs).trials[0])
    assert words in line and line.startswith("trial   0: ")
    assert SMALL.id not in line


def test_a_trial_is_called_by_its_name_or_its_design() -> None:
    assert story(1.0).trials[0].title == "trial 0 (cnn 32-64, bn, adam 1e-3)"
    named = story(1.0, name="cnn-3").trials[0]
    assert named.title == "trial 0 (cnn-3)"
    assert describe(named).startswith("trial   0 cnn-3: ")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(1, 1, 1, 0), "1 trial at a time, each with 1 worker of 1 CPU core"),
        (Plan(2, 2, 4, 1), "2 trials at a time, each with 2 workers of 4 CPU cores and 1 GPU"),
        (Plan(3, 1, 1, 1 / 3), "3 trials at a time, each with 1 worker of 1 CPU core and 0.333 "),
        (Plan(1, 2, 1, 2.0), "and 2 GPUs"),
    ],
)
def test_a_plan_in_words(plan: Plan, words: str) -> None:
    assert words in str(plan)

"""Promotion by rank, against what the papers say."""

import pytest

from search.strategy.successive_halving import SuccessiveHalving
from search.surrogate.run_history import ObservedTrial, RunHistory


def halving(accuracies, second="", seconds=None, epoch=1):
    """Nine-epoch trials that wait at a rung, in order."""
    history: RunHistory = RunHistory(0)
    found = SuccessiveHalving(history, second)
    for trial, accuracy in enumerate(accuracies):
        history.start(ObservedTrial(trial, (trial,), 9, epoch))
        history.tell(trial, epoch, accuracy, seconds[trial] if seconds else 1.0)
        found.told(trial)
    return history, found


def test_the_best_third_goes_on() -> None:
    history, found = halving([0.1, 0.5])
    assert found.promotable() is None  # a third of two is none
    history, found = halving([0.1, 0.5, 0.3, 0.2, 0.6, 0.4])
    assert found.promotable() == 4
    history.resume(4, 3)
    assert found.promotable() == 1
    history.resume(1, 3)
    assert found.promotable() is None
    assert found.best_paused() == 5


def test_the_highest_rung_comes_first() -> None:
    history, found = halving([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    for trial in (0, 1, 2):
        assert found.promotable() == trial
        history.resume(trial, 3)
        for epoch in (2, 3):
            history.tell(trial, epoch, 0.5 + trial / 10, 1.0)
        found.told(trial)
    assert found.promotable() == 2  # the best of three at epoch 3
    history.resume(2, 9)
    assert found.promotable() is None


def test_two_objectives_go_by_rank_and_crowding() -> None:
    # The front by (accuracy, seconds): 0 (cheap), 1, 2 (accurate); 3 to 5 are dominated.
    accuracies = [0.3, 0.5, 0.9, 0.2, 0.4, 0.45]
    seconds = [1.0, 2.0, 8.0, 3.0, 4.0, 5.0]
    history, found = halving(accuracies, "cost", seconds)
    assert [found.promotable(), history.resume(0, 3)][0] == 0  # the front's ends first
    assert found.promotable() == 2
    history.resume(2, 3)
    assert found.promotable() is None  # a third of six is two


@pytest.mark.parametrize("trials", [3, 10, 50])
def test_a_rung_never_lets_more_than_its_part_go_on(trials) -> None:
    accuracies = [((7 * n) % trials) / trials for n in range(trials)]
    history, found = halving(accuracies)
    promoted = []
    while (trial := found.promotable()) is not None:
        promoted.append(trial)
        history.resume(trial, 3)
    best = sorted(range(trials), key=lambda n: -accuracies[n])[: trials // 3]
    assert promoted == best

"""What a strategy remembers stays small, and is the same however often it is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from search.history import MOST_RESULTS, REFRESH, History, Seen


def told(trials: int, seed: int = 0) -> History:
    history: History = History(seed)
    for trial in range(trials):
        history.start(Seen(trial, (trial,), 9, 1))
        history.tell(trial, 1, ((trial * 7919) % 1000) / 1000, 2.0)
    return history


def test_all_while_there_are_few() -> None:
    history = told(10)
    assert [seen.trial for seen in history.sample()] == list(range(10))
    assert (history.results, history.epochs_given, history.epochs_begun) == (10, 10, 10)


def test_a_bounded_part_of_many_with_the_best_and_the_newest() -> None:
    history = told(2000)
    chosen = {seen.trial for seen in history.sample()}
    assert len(chosen) <= MOST_RESULTS + REFRESH
    best = sorted(history.trials, key=lambda t: -history.trials[t].best)[:30]
    assert chosen >= set(best)
    assert any(history.trials[t].best < 0.3 for t in chosen)  # a part is random


def test_asking_changes_nothing() -> None:
    asked, unasked = told(500, seed=3), History(3)
    for trial in range(500):
        unasked.start(Seen(trial, (trial,), 9, 1))
        unasked.tell(trial, 1, ((trial * 7919) % 1000) / 1000, 2.0)
        unasked.sample()
    assert [s.trial for s in asked.sample()] == [s.trial for s in unasked.sample()]


def test_pausing_resuming_and_failing() -> None:
    history = told(3)
    assert history.rungs_with_paused == [1] and not history.running
    history.resume(1, 3)
    assert [trial for _, trial in history.paused(1)] == sorted(
        (0, 2), key=lambda t: history.trials[t].newest
    )
    history.tell(1, 2, 0.95, 2.0)
    assert history.trials[1].results[-1][0] == 1  # epoch 2 is no rung
    history.tell(1, 3, 0.8, 2.0)
    seen = history.trials[1]
    assert (seen.state, seen.best, seen.newest, seen.seconds) == ("paused", 0.95, 0.8, 6.0)
    history.end(1, failed=True)
    assert history.rungs_with_paused == [1] and seen.state == "ended" and seen.failed
    assert seen.results[-1] == (3, 0.0)


@given(st.lists(st.integers(0, 5), max_size=40))
def test_candidates_are_the_paused_ones_the_best_first(accuracies) -> None:
    history: History = History(0)
    for trial, accuracy in enumerate(accuracies):
        history.start(Seen(trial, (trial,), 9, 1))
        history.tell(trial, 1, accuracy / 10, 1.0)
    found = [seen.newest for seen in history.candidates()]
    assert found == sorted((a / 10 for a in accuracies), reverse=True)

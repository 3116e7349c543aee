"""What a strategy remembers stays small, and is the same however often it is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from search.surrogate.run_history import (
    MOST_RESULTS,
    REFRESH,
    Observation,
    ObservedTrial,
    RunHistory,
)


def told(trials: int, seed: int = 0) -> RunHistory:
    history: RunHistory = RunHistory(seed)
    for trial in range(trials):
        history.start(ObservedTrial(trial, (trial,), 9, 1))
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
    best = sorted(history.trials, key=lambda t: -history.trials[t].shown)[:30]
    assert chosen >= set(best)
    assert any(history.trials[t].shown < 0.3 for t in chosen)  # a part is random


def test_asking_changes_nothing() -> None:
    asked, unasked = told(500, seed=3), RunHistory(3)
    for trial in range(500):
        unasked.start(ObservedTrial(trial, (trial,), 9, 1))
        unasked.tell(trial, 1, ((trial * 7919) % 1000) / 1000, 2.0)
        unasked.sample()
    assert [s.trial for s in asked.sample()] == [s.trial for s in unasked.sample()]


@given(st.lists(st.tuples(st.sampled_from(["begin", "go on", "fail"]), st.integers(0, 9))))
def test_observations_are_all_results_of_the_trials_that_are_learned_from(story) -> None:
    history: RunHistory = RunHistory(0)
    for what, accuracy in story * 4:
        waiting = history.candidates()
        if what == "begin" or not waiting:
            trial = len(history.trials)
            history.start(ObservedTrial(trial, (trial,), 9, 1))
            history.tell(trial, 1, accuracy / 10, 2.0)
        elif what == "fail":
            history.end(waiting[0].trial, failed=True)
        else:
            seen, epoch = waiting[0], 3 * waiting[0].last_epoch
            history.resume(seen.trial, epoch)
            history.tell(seen.trial, epoch, accuracy / 10, 2.0)
        expected = [
            Observation(seen.design, *each) for seen in history.sample() for each in seen.results
        ]
        assert sorted(history.observations, key=str) == sorted(expected, key=str)
        assert history.chosen_together <= len(history.observations)


def test_all_results_of_a_trial_come_back_with_its_next_one() -> None:
    history = told(1000)
    known = {seen.trial for seen in history.sample()}
    dropped = next(trial for trial in history.trials if trial not in known)
    history.resume(dropped, 3)
    history.tell(dropped, 3, 0.7, 2.0)
    seen = history.trials[dropped]
    expected = [
        Observation(seen.design, *each) for seen in history.sample() for each in seen.results
    ]
    assert history.observations[-2:] == [Observation(seen.design, *each) for each in seen.results]
    assert sorted(history.observations, key=str) == sorted(expected, key=str)


def test_observations_keep_their_order_until_they_are_chosen_anew() -> None:
    history = told(REFRESH - 3)
    before = list(history.observations)
    for trial in (100, 101):
        history.start(ObservedTrial(trial, (trial,), 9, 1))
        history.tell(trial, 1, 0.5, 2.0)
    further = [Observation((100,), 1, 0.5), Observation((101,), 1, 0.5)]
    assert history.observations == before + further and history.chosen_together == 0
    history.resume(100, 3)
    history.tell(100, 3, 0.6, 2.0)
    assert (history.chosen_together, history.choices) == (REFRESH, 1)
    assert set(history.observations) == {*before, *further, Observation((100,), 3, 0.6)}


def only_the_last(design: tuple, epoch: int) -> bool:
    """Designs that end in "cycle" have a result after epoch 9."""
    return design[-1] != "cycle" or epoch == 9


def test_the_best_is_a_result() -> None:
    history: RunHistory = RunHistory(0, only_the_last)
    history.start(ObservedTrial(0, (0, "cycle"), 9, 1))
    history.tell(0, 1, 0.9, 2.0)
    seen = history.trials[0]
    assert (seen.best, seen.shown, seen.results) == (None, 0.9, [(1, 0.9)])  # it is learned from
    history.resume(0, 9)
    for epoch in range(2, 10):
        history.tell(0, epoch, 0.9 - epoch / 100, 2.0)
    assert seen.best == seen.shown == 0.81
    history.start(ObservedTrial(1, (1,), 9, 1))
    history.tell(1, 1, None, 2.0)
    assert history.trials[1].best is None  # what diverged is none


def test_results_are_learned_from_however_many_cycles_show_more() -> None:
    history: RunHistory = RunHistory(0, only_the_last)
    history.start(ObservedTrial(0, (0,), 9, 1))
    history.tell(0, 1, 0.5, 2.0)
    for trial in range(1, 1000):
        history.start(ObservedTrial(trial, (trial, "cycle"), 9, 1))
        history.tell(trial, 1, 0.6, 2.0)
    assert Observation((0,), 1, 0.5) in history.observations


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
    history: RunHistory = RunHistory(0)
    for trial, accuracy in enumerate(accuracies):
        history.start(ObservedTrial(trial, (trial,), 9, 1))
        history.tell(trial, 1, accuracy / 10, 1.0)
    found = [seen.newest for seen in history.candidates()]
    assert found == sorted((a / 10 for a in accuracies), reverse=True)

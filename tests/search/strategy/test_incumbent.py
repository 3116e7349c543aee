"""The best so far is a result: what a design had on its way to the end of its schedule is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from models.design import Design
from models.rungs import rungs_of
from search.record import state
from search.record.state import SearchState
from search.space.design_space import NetworkSpace
from search.strategy.optuna_sampler import OptunaSampler, SamplerSettings
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.surrogate.output_warping import OutputWarping
from tests.search.hand_made import end, epoch, trial

SPACE = NetworkSpace(9, 8, 8, frozenset(["schedule"]))


def design(width: int, schedule: str = "constant", epochs: int = 9) -> Design:
    return Design(kernels=(), dense=(width,), schedule=schedule, epochs=epochs, batch_size=64)


class Told:
    """A strategy that is told of trials by hand."""

    def __init__(self, searcher: str = "curves", second: str = "") -> None:
        self.strategy = SearchStrategy(SPACE, StrategySettings(searcher, second=second))

    def trial(self, design: Design, *accuracies: float | None, seconds: float = 1.0) -> int:
        """A further trial with these accuracies, by epoch; it waits there."""
        strategy, number = self.strategy, len(self.strategy.history.trials)
        rungs = [rung for rung in rungs_of(design.epochs) if rung >= len(accuracies)]
        strategy.started(number, design, rungs[0])
        for n, accuracy in enumerate(accuracies, start=1):
            strategy.told(number, n, accuracy, seconds)
        if accuracies[-1] is None:
            strategy.ended(number, failed=True)
        return number

    @property
    def warp(self) -> OutputWarping:
        assert self.strategy._acquisition is not None
        return self.strategy._acquisition.forecaster.now().warp


def test_a_cycle_after_its_first_epoch_is_not_the_best_so_far() -> None:
    told = Told()
    for width in range(20, 30):
        told.trial(design(width), 0.3 + width / 100)
    best = told.warp.top
    assert told.warp.best == pytest.approx(0.59)
    told.trial(design(40, "one_cycle"), 0.9)
    assert told.warp.best == pytest.approx(0.59)
    assert told.warp.top < told.warp.scores.max()  # it is learned from
    assert told.warp.top == pytest.approx(np.sort(told.warp.scores)[-2]) and told.warp.top < best
    told.trial(design(41, "one_cycle", epochs=1), 0.7)  # which is its end
    assert told.warp.best == pytest.approx(0.7)


def test_what_is_promised_is_a_gain_over_the_best_result() -> None:
    """Where nothing but cycles on their way were good, what comes to a result gains by it."""
    told = Told()
    for width in range(20, 30):
        told.trial(design(width), 0.2)
        told.trial(design(width, "cosine"), 0.6 + width / 1000)
    expected = told.strategy._acquisition.best_paused()[1]
    assert expected.points > 20


def test_while_there_is_no_result_all_is_gain() -> None:
    told = Told()
    for width in range(20, 26):
        told.trial(design(width, "one_cycle"), 0.4 + width / 100)
    assert told.warp.best == 0 and told.warp.top == told.warp.scores.min()
    number, expected = told.strategy._acquisition.best_paused()
    assert expected.points > 40 and told.strategy.history.trials[number].newest > 0.6


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["constant", "one_cycle", "cosine"]),
            st.integers(1, 9),
            st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=9, max_size=9),
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None)
def test_strategy_and_winner_have_one_definition(story) -> None:
    """The best of a strategy's results is the winner's accuracy, whatever is told."""
    told, known = Told("random"), SearchState()
    for number, (schedule, length, accuracies) in enumerate(story):
        its = design(16 + number, schedule, length)
        shown = [None if a is None else a / 20 for a in accuracies[:length]]
        if None in shown:
            shown = shown[: shown.index(None) + 1]
        told.trial(its, *shown)
        for line in (trial(number, its), *(epoch(number, n, a) for n, a in enumerate(shown, 1))):
            state.apply(known, line)
    seen = told.strategy.history.trials
    results = [each.best for each in seen.values() if each.best is not None]
    assert (known.winner is None) == (not results)
    assert max(results, default=0.0) == known.best_accuracy
    for number, each in seen.items():
        best = known.trials[number].best
        assert each.best == (best["val_accuracy"] if best else None)


def outcome(searcher: str, second: str, its: Design, *accuracies) -> tuple:
    told = Told(searcher, second)
    number = told.trial(its, *accuracies)
    sampler = OptunaSampler(searcher, SamplerSettings(), SPACE, told.strategy.history, second)
    frozen = sampler._freeze(told.strategy.history.trials[number])
    return frozen.state, frozen.values, frozen.intermediate_values


CYCLE, SHORT = design(16, "one_cycle"), design(16, "one_cycle", 3)


@pytest.mark.parametrize(
    ("searcher", "second", "its", "accuracies", "expected"),
    [
        ("tpe", "", CYCLE, (0.9,), (TrialState.PRUNED, None, {1: 0.9})),
        ("gp", "", CYCLE, (0.9,), (TrialState.RUNNING, None, {1: 0.9})),
        ("tpe", "cost", CYCLE, (0.9,), (TrialState.PRUNED, None, {})),
        ("gp", "cost", CYCLE, (0.9,), (TrialState.RUNNING, None, {})),
        ("tpe", "", SHORT, (0.9, 0.8, 0.7), (TrialState.COMPLETE, [0.7], {3: 0.7})),
        ("gp", "", SHORT, (0.9, 0.8, 0.7), (TrialState.COMPLETE, [0.7], {3: 0.7})),
        ("tpe", "cost", SHORT, (0.9, 0.8, 0.7), (TrialState.COMPLETE, [0.7, 3.0], {})),
        ("tpe", "", design(16), (0.9,), (TrialState.PRUNED, None, {1: 0.9})),
        ("gp", "", design(16), (0.9, 0.8, 0.7), (TrialState.COMPLETE, [0.9], {3: 0.9})),
        # What failed by itself is as bad as can be, not forgotten.
        ("tpe", "", design(16), (0.9, None), (TrialState.COMPLETE, [0.0], {2: 0.9})),
        ("gp", "", design(16), (None,), (TrialState.COMPLETE, [0.0], {1: 0.0})),
        ("tpe", "cost", design(16), (None,), (TrialState.PRUNED, None, {})),
        ("gp", "cost", design(16), (None,), (TrialState.FAIL, None, {})),
    ],
)
def test_what_optuna_s_samplers_are_told(searcher, second, its, accuracies, expected) -> None:
    assert outcome(searcher, second, its, *accuracies) == expected


@pytest.mark.parametrize("second", ["", "cost"])
@pytest.mark.parametrize("searcher", ["tpe", "gp"])
def test_they_answer_whatever_there_is(searcher, second) -> None:
    told = Told(searcher, second)
    for width in range(16, 22):
        told.trial(design(width, "one_cycle"), 0.5)
        told.trial(design(width), None)
        told.trial(design(width, "cosine", 3), 0.5, 0.6, 0.6)
    assert isinstance(told.strategy._sampler.propose(3), Design)


def test_the_front_that_is_to_grow_is_of_results() -> None:
    told = Told(second="cost")
    for width in range(20, 26):
        told.trial(design(width), 0.3, seconds=2.0)
    told.trial(design(40, "one_cycle"), 0.9, seconds=1.0)
    known = told.strategy._acquisition._known_points()
    assert len(known) == 6 and set(known[:, 0]) == {0.3}


def test_a_schedule_adds_to_the_front_with_its_end_alone() -> None:
    """A cycle would be on the front at a tenth of its cost, if its first epoch were a result."""
    told = Told(second="cost")
    for width in range(20, 32):
        told.trial(design(width), 0.3, 0.4, 0.5, *[0.6] * 6, seconds=2.0)
    curves = told.strategy._acquisition
    forecast = curves.forecaster.now()
    asked = []
    predict = forecast.curves.predict
    object.__setattr__(
        forecast.curves,
        "predict",
        lambda places, times: asked.append(times) or predict(places, times),
    )
    curves._area_gains(forecast, curves._candidates([], [design(50, "cosine"), design(50)]))
    first, third, last = curves.forecaster.times([1, 3, 9])
    assert asked[-1].tolist() == [last, first, third, last]


def test_a_winner_whose_best_epoch_is_told_anew_is_chosen_anew() -> None:
    known = SearchState()
    lines = [trial(0), epoch(0, 1, 0.5), end(0), trial(1), epoch(1, 1, 0.6), epoch(1, 2, 0.9)]
    for line in lines:
        state.apply(known, line)
    assert (known.winner.trial, known.best_accuracy) == (1, 0.9)
    state.apply(known, epoch(1, 1, 0.4))  # after a fault
    assert (known.winner.trial, known.best_accuracy) == (0, 0.5)
    state.apply(known, epoch(1, 2, None))
    assert (known.winner.trial, known.best_accuracy) == (0, 0.5)

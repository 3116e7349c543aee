import pytest

from models.design import Design
from search.record.state import SearchState, fold
from search.record.strategy_follower import Follower
from search.space.design_space import NetworkSpace
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from tests.search.hand_made import end, epoch, trial

COSINE = Design(schedule="cosine", epochs=2)


@pytest.mark.parametrize(
    ("reason", "learned"),
    [("diverged", True), ("out_of_memory", True), ("RuntimeError: NCCL error", False)],
)
def test_only_a_design_s_own_end_is_learned_from(reason: str, learned: bool) -> None:
    """Runs of before have machines' failures as failed trials."""
    space = NetworkSpace(max_epochs=10, height=8, width=8)
    strategy = SearchStrategy(space, StrategySettings())
    follow = Follower(strategy)
    for line in (trial(0, state="running"), epoch(0, 1, 0.5), end(0, "failed", reason)):
        follow(line, SearchState())
    seen = strategy.history.trials[0]
    assert seen.state == "ended" and seen.failed is learned
    assert seen.results == [(1, 0.5)] + [(1, 0.0)] * learned


def test_points_are_what_anyone_would_get() -> None:
    state = fold(
        [
            trial(0),
            epoch(0, 1, 0.5),
            epoch(0, 2, 0.7),
            epoch(0, 3, 0.6),
            trial(1, COSINE),
            epoch(1, 1, 0.9),
            trial(2, COSINE),
            epoch(2, 1, 0.1),
            epoch(2, 2, 0.3),
        ]
    )
    assert [point["epoch"] for point in state.trials[0].points] == [1, 2, 3]
    assert state.trials[0].best["epoch"] == 2
    assert state.trials[0].train_seconds(2) == 20
    assert state.trials[1].best is None  # stopped under a schedule: no result
    assert [point["epoch"] for point in state.trials[2].points] == [2]
    assert state.winner.trial == 0


def test_equal_accuracy_goes_to_the_earlier_epoch_and_the_cheaper_network() -> None:
    lines = [trial(0, flops=9), epoch(0, 1, 0.5), epoch(0, 2, 0.5), trial(1, flops=8)]
    state = fold([*lines, epoch(1, 1, 0.5)])
    assert state.trials[0].best["epoch"] == 1
    assert state.winner.trial == 1


def test_states_reasons_and_costs() -> None:
    state = fold(
        [
            {"kind": "run", "event": "start"},
            {"kind": "decision", "action": "start", "trial": 0},
            trial(0),
            epoch(0, 1, None),
            {"kind": "cost", "trial": 0, "item": "training", "seconds": 3.0},
            {"kind": "cost", "trial": 0, "item": "training", "seconds": 4.0},
            end(0, "failed", "diverged"),
            {"kind": "decision", "action": "refuse", "reason": "too large"},
            {"kind": "run", "event": "end"},
        ]
    )
    assert (state.trials[0].state, state.trials[0].reason) == ("failed", "diverged")
    assert state.trials[0].costs == {"training": 7.0}
    assert state.trials[0].best is None and state.winner is None
    assert (state.decisions, len(state.refused), state.ended) == (2, 1, "end")


def test_an_epoch_trained_again_replaces_what_followed() -> None:
    lines = [trial(0), epoch(0, 1, 0.1), epoch(0, 2, 0.2), epoch(0, 3, 0.3), epoch(0, 2, 0.25)]
    assert [e["val_accuracy"] for e in fold(lines).trials[0].epochs] == [0.1, 0.25]

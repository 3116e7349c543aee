"""A search in simulated time whose budget limits time: exploration and finale."""

import heapq
import math
from dataclasses import dataclass, field
from random import Random

import pytest

from models.design import Design
from models.rungs import rungs_of
from search.space.design_space import NetworkSpace
from search.space.portfolio import portfolio, startup
from search.space.prior import PriorSuggest
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms.actions import Resume, Start
from search.terms.final_trials import is_final
from search.terms.time_left import TimeLeft

SPACE = NetworkSpace(30, 32, 32, frozenset({"recipe"}), images=45_000)
EVALUATION = 0.07


def epoch_seconds(design: Design) -> float:
    """Of a machine of which the strategy knows nothing."""
    steps, adds, values, images = SPACE.work(design)
    return 2e-3 * steps + 3e-11 * adds + 2e-9 * values + 2e-6 * images


def accuracy(design: Design, epochs: int, in_cycles: bool) -> float:
    """Wider is better in the end and slower to begin; the rate matters."""
    width = math.log2(sum(sum(block) for block in design.kernels) + 1) / 10
    most = 0.6 + 0.3 * width - 0.05 * abs(math.log10(design.learning_rate / 0.05))
    return max(0.1, most - 0.4 / (1 + epochs) ** (0.9 - 0.3 * width) - 0.01 * in_cycles)


@dataclass
class Searched:
    """What a simulated search did."""

    strategy: SearchStrategy[Design]
    began: dict[int, Start[Design]] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    """By trial, when its newest leg ended."""
    busy: float = 0.0
    decisions: list[tuple[TimeLeft, Start[Design] | Resume | None]] = field(default_factory=list)


def search(
    total: float, lanes: int, seed: int, speed: float = 1.0, noise: float = 0.03
) -> Searched:
    """Searches for `total` seconds; a leg that is cut by the end does not count."""
    known = portfolio(SPACE)
    settings = StrategySettings(seed=seed, startup=startup(len(known)), plans_time=True)
    strategy = SearchStrategy(SPACE, settings, known, draw=PriorSuggest)
    done = Searched(strategy)
    random, now, free = Random(seed), 0.0, lanes
    ends: list[tuple[float, int, int]] = []
    designs: dict[int, Design] = {}
    to: dict[int, int] = {}

    def begin_epoch(trial: int) -> None:
        took = epoch_seconds(designs[trial]) / speed * (1 + EVALUATION)
        heapq.heappush(ends, (now + took * random.uniform(1 - noise, 1 + noise), trial, len(to)))

    while True:
        while free:
            left = TimeLeft(total - now, total, lanes)
            action = strategy.next(left=left)
            if len(done.decisions) % 5 == 0:  # what is asked at other times changes no answer
                strategy.next(left=TimeLeft(left.seconds / 20, total, lanes))
            assert action == strategy.next(left=left)
            done.decisions.append((left, action))
            if action is None:
                break
            strategy.decided()
            if isinstance(action, Start):
                trial = len(designs)
                designs[trial], done.began[trial] = action.design, action
                strategy.started(trial, action.design, action.to_epoch, action.name)
            else:
                trial = action.trial
                strategy.resumed(trial, action.to_epoch)
            to[trial] = action.to_epoch
            free -= 1
            begin_epoch(trial)
        if not ends or ends[0][0] > total:
            done.busy /= total * lanes
            return done
        now, trial, _ = heapq.heappop(ends)
        seen, design = strategy.history.trials[trial], designs[trial]
        took = epoch_seconds(design) / speed
        done.busy += took * (1 + EVALUATION)
        epoch = seen.last_epoch + 1
        reached = accuracy(design, epoch, design.schedule == "cycles")
        strategy.told(trial, epoch, reached, took, took * EVALUATION)
        if epoch < to[trial]:
            begin_epoch(trial)
        else:
            done.ends[trial] = now
            free += 1


@pytest.mark.parametrize(
    ("total", "lanes"),
    [
        (300.0, 1),
        (300.0, 8),
        (1200.0, 2),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in ((7200.0, 1), (7200.0, 8))),
    ],
)
def test_the_time_is_used_and_nothing_is_cut(total: float, lanes: int) -> None:
    done = search(total, lanes, seed=lanes)
    trials = done.strategy.history.trials.values()
    finals = [each for each in trials if done.began[each.trial].by == "finale"]
    assert 1 <= len(finals) <= 4 * lanes
    assert all(each.finished for each in finals)
    assert all(each.last_epoch in rungs_of(each.epochs) for each in trials)
    assert done.busy > 0.9
    assert max(done.ends.values()) <= total
    best = max(trials, key=lambda each: each.best or 0)
    assert best in finals


def test_twenty_designs_are_seen_in_twenty_minutes_of_two_cores() -> None:
    assert len(search(1200, 2, seed=3).began) >= 20


@pytest.mark.parametrize(("total", "lanes", "speed"), [(300, 1, 0.1), (300, 2, 0.3), (60, 1, 8)])
def test_slow_and_fast_machines_have_a_finale_too(total: float, lanes: int, speed: float) -> None:
    done = search(total, lanes, 0, speed=speed)
    finals = [each for each in done.strategy.history.trials.values() if is_final(each.name)]
    assert finals and all(each.finished for each in finals)
    assert done.busy > 0.75
    last, action = done.decisions[-1]
    assert action is None or last.seconds < 0.25 * total  # it does not end early


def ended_trials(accuracies: list[float | None]) -> SearchStrategy[Design]:
    """A strategy that has been told of these first epochs, of 10 s each; None is a failure."""
    known = portfolio(SPACE)
    settings = StrategySettings(startup=startup(len(known)), plans_time=True)
    strategy = SearchStrategy(SPACE, settings, known, draw=PriorSuggest)
    for trial in range(len(accuracies)):
        action = strategy.next(left=TimeLeft(1200, 1200, 4))
        assert isinstance(action, Start)
        strategy.decided()
        strategy.started(trial, action.design, action.to_epoch, action.name)
    for trial, accuracy in enumerate(accuracies):
        if accuracy is None:
            strategy.ended(trial, failed=True)
        else:
            strategy.told(trial, 1, accuracy, 10.0, 1.0)
    return strategy


def test_without_new_trials_all_the_time_is_for_promotions() -> None:
    strategy = ended_trials([0.5, 0.6, 0.7, 0.4])
    for seconds in (1200, 300, 100):
        action = strategy.next(new=False, left=TimeLeft(seconds, 1200, 4))
        assert isinstance(action, Resume) and action.to_epoch == 3
    assert strategy.next(new=False, left=TimeLeft(10, 1200, 4)) is None


@pytest.mark.parametrize("failed", [1, 3, 5])
def test_where_only_failures_are_known_it_goes_on(failed: int) -> None:
    strategy = ended_trials([None] * failed)
    assert isinstance(strategy.next(left=TimeLeft(1000, 1200, 4)), Start)
    assert isinstance(strategy.next(left=TimeLeft(200, 1200, 4)), Start)


def test_a_final_that_failed_is_not_begun_again() -> None:
    strategy = ended_trials([0.5, 0.6, 0.7, 0.4])
    left = TimeLeft(340, 1200, 4)
    first = strategy.next(left=left)
    assert isinstance(first, Start) and first.by == "finale"
    strategy.decided()
    strategy.started(4, first.design, first.to_epoch, first.name)
    strategy.ended(4, failed=True)
    second = strategy.next(left=left)
    assert isinstance(second, Start) and second.by == "finale" and second.name != first.name

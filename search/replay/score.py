"""Scores a strategy on a table of recorded curves: its cost to a target accuracy, or its
hypervolume.

The target is the median of the best accuracies of random searches of 30 full trainings. The cost is
the worker-seconds, idle or not, until the strategy first has a result at or above the target, at
any epoch; one without such a result after the cost of 200 full trainings has failed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.replay.curve_table import CurveTable, Point, TableSpace
from search.replay.simulator import Event, RecordedTrainer, replay
from search.terms.actions import Strategy
from search.terms.front import hypervolume

Array = NDArray[np.float64]
Make = Callable[[CurveTable, TableSpace, int], Strategy[Point]]

RANDOM_TRIALS = 30
RANDOM_SEARCHES = 2000
MOST_TRAININGS = 200
AREA_COST = 0.25
"""With two objectives: the default strategy's cost as a fraction of random search's."""


@dataclass(frozen=True)
class Score:
    """The score of one replay."""

    seed: int
    cost: float
    """Worker-seconds to the target; infinite where it was not reached."""
    makespan: float
    """Simulated seconds to the target, or to the end."""
    trials: int
    seconds: float = 0.0
    """Wall-clock seconds of the replay."""
    trace: list[tuple[float, float]] = field(default_factory=list)
    """The incumbent over time: (worker-seconds, accuracy) at each improvement."""

    @property
    def reached(self) -> bool:
        """Whether the target was reached."""
        return self.cost < np.inf


def target(table: CurveTable) -> float:
    """The accuracy (0..1) that a strategy has to reach on `table`."""
    random = np.random.default_rng(0)
    best = table.accuracies.max(1)
    trials = min(RANDOM_TRIALS, len(table))
    drawn = [random.permutation(len(best))[:trials] for _ in range(RANDOM_SEARCHES)]
    return float(np.median([best[each].max() for each in drawn]))


def score(table: CurveTable, make: Make, seed: int, workers: int, aim: float) -> Score:
    """Replays a strategy until accuracy `aim`, or the cost of MOST_TRAININGS full trainings."""
    space = TableSpace(table)
    began, best, trials = time.perf_counter(), -1.0, 0
    most = MOST_TRAININGS * table.full_cost
    trace: list[tuple[float, float]] = []
    makespan, cost = 0.0, np.inf
    for event in replay(make(table, space, seed), RecordedTrainer(table, space), workers):
        if event.spent > most:
            break
        makespan, trials = event.time, max(trials, event.trial + 1)
        if event.accuracy > best:
            best = event.accuracy
            trace.append((event.spent, best))
        if best >= aim:
            cost = event.spent
            break
    return Score(seed, cost, makespan, trials, time.perf_counter() - began, trace)


def area(table: CurveTable, make: Make, seed: int, workers: int, spend: float) -> float:
    """The hypervolume of a strategy after `spend` worker-seconds, of accuracy against the logarithm
    of a trial's training seconds, both scaled to 0..1 over the table."""
    space = TableSpace(table)
    events: list[Event] = []
    for event in replay(make(table, space, seed), RecordedTrainer(table, space), workers):
        if event.spent > spend:
            break
        events.append(event)
    return hypervolume(_scaled(table, [(event.accuracy, event.seconds) for event in events]))


def random_area(table: CurveTable, make: Make, seed: int, workers: int) -> tuple[float, float]:
    """The hypervolume of a random search of 30 full trainings, and its cost in worker-seconds."""
    space = TableSpace(table)
    events = list(
        replay(make(table, space, seed), RecordedTrainer(table, space), workers, RANDOM_TRIALS)
    )
    points = [(event.accuracy, event.seconds) for event in events]
    return hypervolume(_scaled(table, points)), max(event.spent for event in events)


def _scaled(table: CurveTable, points: list[tuple[float, float]]) -> Array:
    accuracies, seconds = np.array(points or [(0.0, np.inf)]).T
    low, high = table.accuracies.min(), table.accuracies.max()
    costs = np.log(table.seconds.cumsum(1))
    scaled = (np.log(seconds) - costs.min()) / (costs.max() - costs.min() or 1.0)
    return np.stack([(accuracies - low) / (high - low or 1.0), scaled], axis=1)

"""Two objectives: the area under the front of accuracy against cost, beside random search's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search import curve_table, score
from search.curve_table import CurveTable, Point, TableSpace
from search.rivals import Shuffled
from search.score import AREA_COST
from search.strategy import Search, StrategySettings


@dataclass(frozen=True)
class Area:
    """Medians over seeds."""

    table: str
    workers: int
    random: float
    """Of 30 full random trainings."""
    ours: float
    """At a quarter of their cost."""


def measure(
    tables: Sequence[Path], workers: Sequence[int], seeds: int, done: Callable[[], None]
) -> list[Area]:
    """The areas on each table with each number of workers."""
    found = []
    for path in tables:
        table = curve_table.read(path)
        for each in workers:
            found.append(_measure(table, each, seeds))
            done()
    return found


def _measure(table: CurveTable, workers: int, seeds: int) -> Area:
    random = [score.random_area(table, _random, seed, workers) for seed in range(seeds)]
    spend = AREA_COST * float(np.median([spent for _, spent in random]))
    ours = [score.area(table, _ours, seed, workers, spend) for seed in range(seeds)]
    return Area(
        table.name, workers, float(np.median([area for area, _ in random])), float(np.median(ours))
    )


def _random(table: CurveTable, space: TableSpace, seed: int) -> Shuffled:
    return Shuffled(table, seed)


def _ours(table: CurveTable, space: TableSpace, seed: int) -> Search[Point]:
    return Search(space, StrategySettings(seed=seed, second="cost"))

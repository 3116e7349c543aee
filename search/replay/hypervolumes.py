"""Compares strategies with two objectives: hypervolume of accuracy against cost, relative to random
search."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.replay import curve_table, score
from search.replay.baselines import Shuffled
from search.replay.curve_table import CurveTable, Point, TableSpace
from search.replay.processes import run_all
from search.replay.score import AREA_COST
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings


@dataclass(frozen=True)
class Area:
    """Median hypervolumes over seeds, on one table with one number of workers."""

    table: str
    workers: int
    random: float
    """Of random search with 30 full trainings."""
    ours: float
    """Of the default strategy at a quarter of that cost."""


@dataclass(frozen=True)
class _Task:
    table: Path
    workers: int
    seeds: int


def measure(
    tables: Sequence[Path], workers: Sequence[int], seeds: int, done: Callable[[], None]
) -> list[Area]:
    """The hypervolumes on each table with each number of workers, on all cores; `done` is called
    after each."""
    todo = [_Task(path, each, seeds) for path in tables for each in workers]
    return run_all(_measure, todo, done)


def _measure(task: _Task) -> Area:
    table, workers, seeds = curve_table.read(task.table), task.workers, range(task.seeds)
    random = [score.random_area(table, _random, seed, workers) for seed in seeds]
    spend = AREA_COST * float(np.median([spent for _, spent in random]))
    ours = [score.area(table, _ours, seed, workers, spend) for seed in seeds]
    medians = (float(np.median([area for area, _ in random])), float(np.median(ours)))
    return Area(table.name, workers, *medians)


def _random(table: CurveTable, space: TableSpace, seed: int) -> Shuffled:
    return Shuffled(table, seed)


def _ours(table: CurveTable, space: TableSpace, seed: int) -> SearchStrategy[Point]:
    return SearchStrategy(space, StrategySettings(seed=seed, second="cost"))

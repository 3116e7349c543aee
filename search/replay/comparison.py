"""Compares strategies on tables of recorded learning curves, over seeds and numbers of workers:
cost to the target relative to random search."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.replay import curve_table, score
from search.replay.baselines import STRATEGIES
from search.replay.processes import run_all
from search.replay.score import Score

LEAST_RANDOM_SEEDS = 500
"""The least number of seeds of random search: the reference of all, and cheap to replay."""


@dataclass(frozen=True)
class Task:
    """The replays, one per seed, of a strategy's variant on a table with a number of workers."""

    table: Path
    strategy: str
    variant: str
    workers: int
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """The scores of a task, one per seed."""

    task: Task
    scores: tuple[Score, ...]
    full_cost: float
    """Mean seconds of a full training in the table."""
    target: float
    """The accuracy to be reached, 0..1."""

    @property
    def table(self) -> str:
        """The table's name."""
        return curve_table.name_of(self.task.table)

    @property
    def costs(self) -> list[float]:
        """Worker-seconds to the target by seed, infinite where it was not reached."""
        return [each.cost for each in self.scores]

    @property
    def failed(self) -> float:
        """The share of seeds that did not reach the target."""
        return sum(not each.reached for each in self.scores) / len(self.scores)


@dataclass(frozen=True)
class Line:
    """A row of the comparison: a strategy's best variant relative to random search, on one table
    with one number of workers."""

    result: Result
    ratio: float
    """Random search's median cost divided by the strategy's: the speed-up."""
    quartiles: tuple[float, float]
    """The first and third quartile of the ratios over seeds."""
    makespan: float
    """Median simulated seconds to the target."""


def tasks(
    tables: Sequence[Path], strategies: Sequence[str], workers: Sequence[int], seeds: int
) -> list[Task]:
    """All tasks of a comparison, those of random search among them."""
    return [
        Task(table, name, variant, each, tuple(range(_seeds(name, seeds))))
        for table in tables
        for each in workers
        for name in dict.fromkeys(["random", *strategies])
        for variant, _ in STRATEGIES[name]
    ]


def _seeds(strategy: str, seeds: int) -> int:
    return max(seeds, LEAST_RANDOM_SEEDS) if strategy == "random" else seeds


def run(todo: Sequence[Task], done: Callable[[], None]) -> list[Result]:
    """Runs tasks on all cores; their results in order. `done` is called after each."""
    return run_all(replay, todo, done)


def replay(task: Task) -> Result:
    """Replays one task."""
    table = curve_table.read(task.table)
    aim = score.target(table)
    make = dict(STRATEGIES[task.strategy])[task.variant]
    scores = tuple(score.score(table, make, seed, task.workers, aim) for seed in task.seeds)
    return Result(task, scores, table.full_cost, aim)


def lines(results: Sequence[Result]) -> Iterator[Line]:
    """The rows of the comparison: each strategy's best variant, by table and number of workers."""
    settings = dict.fromkeys((r.table, r.task.workers) for r in results)
    for setting in settings:
        there = [r for r in results if (r.table, r.task.workers) == setting]
        random = next(r for r in there if r.task.strategy == "random")
        base = float(np.median(random.costs))
        for strategy in dict.fromkeys(r.task.strategy for r in there):
            variants = [r for r in there if r.task.strategy == strategy]
            yield _line(min(variants, key=lambda r: float(np.median(r.costs))), base)


def _line(result: Result, base: float) -> Line:
    ratios = [base / cost for cost in result.costs]
    low, high = np.quantile(ratios, [0.25, 0.75])
    return Line(
        result,
        ratio=base / float(np.median(result.costs)),
        quartiles=(float(low), float(high)),
        makespan=float(np.median([each.makespan for each in result.scores])),
    )

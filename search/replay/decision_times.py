"""Benchmarks the latency and memory of the default strategy's decisions in a large simulated
search."""

import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from models.quantities import count, duration
from search.replay import curve_table
from search.replay.curve_table import Point, TableSpace
from search.replay.simulator import UnboundedTrainer, replay
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms.time_left import TimeLeft

LAST = 100
PROGRESS_SECONDS = 10


@dataclass(frozen=True)
class DecisionTimes:
    """The measurements of one simulated search."""

    workers: int
    trials: int
    decisions: int
    seconds: float
    """Wall-clock seconds of the whole simulation."""
    last_ms: float
    """Median milliseconds per decision, of the last decisions."""
    memory_bytes: int
    """Peak resident memory of the process."""

    def __str__(self) -> str:
        return (
            f"{count(self.workers, 'worker')}, {count(self.trials, 'trial')}, "
            f"{count(self.decisions, 'decision')} in {duration(self.seconds)}; "
            f"the last {LAST}: median {duration(self.last_ms / 1e3)} each; "
            f"peak memory {self.memory_bytes / 1e6:.0f} MB"
        )


class _Timed(SearchStrategy[Point]):
    """The default strategy, with the duration of each decision recorded."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.took: list[float] = []

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Any:
        """The decision of the default strategy; its seconds are appended to `took`."""
        began = time.perf_counter()
        action = super().next(new=new, left=left)
        self.took.append(time.perf_counter() - began)
        return action


def run(path: Path, workers: int, trials: int, console: Console) -> DecisionTimes:
    """Simulates a search of `trials` trials of arbitrary designs, with curves like those of the
    table, until the last trial has started."""
    table = curve_table.read(path)
    space = TableSpace(table)
    strategy = _Timed(space, StrategySettings())
    began = said = time.perf_counter()
    for event in replay(strategy, UnboundedTrainer(table, space), workers, trials):
        now = time.perf_counter()
        if now - said > PROGRESS_SECONDS:
            said = now
            done = count(event.trial + 1, "trial")
            console.print(f"{done} in {duration(now - began)}", highlight=False)
        if len(strategy.history.trials) >= trials:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    last = 1000 * statistics.median(strategy.took[-LAST:])
    seconds = time.perf_counter() - began
    begun = len(strategy.history.trials)
    return DecisionTimes(workers, begun, len(strategy.took), seconds, last, peak)

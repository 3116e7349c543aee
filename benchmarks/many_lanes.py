"""Benchmark: CPU time that the driver of many lanes needs for strategy, Tune adapter and ledger.

The lanes only pretend to train: some are fed straight to the adapter, others sleep on Ray.
"""

import heapq
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import psutil
import ray.tune

from benchmarks.asleep import EPOCH_SECONDS, Asleep, epoch_line, epoch_seconds
from benchmarks.ray_session import ray_with
from search.record.recorder import Recorder
from search.record.strategy_follower import Follower
from search.record.tensorboard_events import Scalars
from search.scheduling.leg_scheduler import LegScheduler
from search.scheduling.tune_adapter import LaneScheduler, LaneSearcher
from search.scheduling.tune_loop import run_legs
from search.space.design_space import NetworkSpace
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms.budget import Budget
from search.terms.plan import Plan

LANES, RESULTS = 1000, 12_000
SLEEPING, SLEEPING_SECONDS = 64, 180.0
"""Lanes on Ray, and how long their driver is watched once all are up."""
MAX_EPOCHS = 27
SHAPE, CLASSES = (3, 32, 32), 10


def run() -> None:
    """Prints shares of a core for each hundred lanes whose epochs take half a minute."""
    print(f"Overhead of lanes whose epochs take {EPOCH_SECONDS:g} s: CPU of the driver, as a share")
    print("of a core for each hundred lanes; the default strategy, the space of networks.")
    with tempfile.TemporaryDirectory() as folder:
        share, each = _pretend(Path(folder))
    print(
        f"  {LANES:,} lanes fed straight to adapter, strategy and ledger, the last {RESULTS // 2:,}"
    )
    print(f"  of {RESULTS:,} epochs: {1000 * each:.1f} ms an epoch, ratio {share:.4f}")
    with tempfile.TemporaryDirectory() as folder, ray_with(2):
        print(f"  {SLEEPING} sleeping lanes on Ray: ratio {_asleep(Path(folder)):.4f}")


@dataclass
class _Trial:
    """The attributes of a Tune trial that the adapter reads."""

    config: dict[str, Any]
    temporary_state: SimpleNamespace


def _leg_scheduler(run: Path, lanes: int) -> LegScheduler:
    strategy = SearchStrategy(
        NetworkSpace(MAX_EPOCHS, *SHAPE[1:], frozenset()), StrategySettings(), [], None
    )
    follow = Follower(strategy)
    recorder = Recorder(run, Plan(lanes, 1, 1, 0), None, SHAPE, CLASSES, Scalars(run), [follow])
    return LegScheduler(
        strategy,
        recorder,
        Budget(),
        refuse=lambda design: "",
        lanes=lambda: lanes,
        seed=0,
        say=lambda trial: None,
        interrupted=lambda: False,
    )


def _pretend(run: Path) -> tuple[float, float]:
    """The driver's share of a core per hundred lanes, and CPU seconds an epoch, of the later
    half."""
    random = Random(0)
    scheduler = _leg_scheduler(run, LANES)
    ask, decide = LaneSearcher(scheduler), LaneScheduler(scheduler)
    actor = SimpleNamespace(reset_config=SimpleNamespace(remote=lambda leg: None))
    lanes: list[tuple[float, int, _Trial]] = []
    now = began_at = began = 0.0
    for told in range(RESULTS):
        while len(lanes) < LANES:
            trial = _Trial(ask.suggest(str(told)), SimpleNamespace(ray_actor=actor))
            heapq.heappush(lanes, (now + epoch_seconds(random), random.getrandbits(40), trial))
        if told == RESULTS // 2:
            began, began_at = time.process_time(), now
        now, _, trial = heapq.heappop(lanes)
        known = scheduler.recorder.state.trials[trial.config["trial"]]
        answer = epoch_line(known.design, known.last_epoch + 1, random)
        result = {"answer": (answer, known.trial, "g", "g")}
        if decide.on_trial_result(None, trial, result) == decide.CONTINUE:
            heapq.heappush(lanes, (now + epoch_seconds(random), random.getrandbits(40), trial))
    spent = time.process_time() - began
    return spent / (now - began_at) / (LANES / 100), spent / (RESULTS // 2)


def _asleep(folder: Path) -> float:
    """The driver's share of a core per hundred lanes, measured with sleeping lanes on Ray."""
    driver = psutil.Process()
    marks: list[tuple[float, float]] = []
    (folder / "run").mkdir()
    scheduler = _leg_scheduler(folder / "run", SLEEPING)
    recorder = scheduler.recorder

    def over() -> bool:
        # Called ten times a second: what that takes must not count.
        if marks and time.monotonic() - marks[0][0] < SLEEPING_SECONDS:
            return False
        lanes = {line["lane"] for t in recorder.state.trials.values() for line in t.epochs}
        if len(lanes) >= SLEEPING:
            marks.append((time.monotonic(), sum(driver.cpu_times()[:2])))
        return len(marks) > 1

    scheduler.ending.is_due = over  # type: ignore[method-assign]
    place = {"memory": 1 << 20}
    run_legs(scheduler, lambda scratch: ray.tune.with_resources(Asleep, place))
    (began, before), (ended, after) = marks[0], marks[-1]
    return (after - before) / (ended - began) / (SLEEPING / 100)

"""A leg scheduler of a few designs, with all that is around it in hand."""

import dataclasses
from pathlib import Path

from models.design import Design
from models.training.training_run import EpochResult
from search.record.recorder import Recorder
from search.record.strategy_follower import Follower
from search.record.tensorboard_events import Scalars
from search.scheduling.leg_scheduler import LegScheduler
from search.strategy.fixed_designs import FixedDesigns
from search.terms.budget import Budget
from search.terms.clock import Clock
from search.terms.plan import Plan

DESIGNS = [(f"d{width}", Design(kernels=(), dense=(width,), epochs=2)) for width in range(1, 30)]


class Listening(FixedDesigns):
    """Keeps which trials it was told have ended, and whether by a result that is bad."""

    def __init__(self, *arguments, **named) -> None:
        super().__init__(*arguments, **named)
        self.ends: list[tuple[int, bool]] = []

    def ended(self, trial: int, *, failed: bool) -> None:
        self.ends.append((trial, failed))


class Talk:
    """A leg scheduler of `DESIGNS`, and what it says."""

    def __init__(
        self,
        run: Path,
        budget: Budget,
        refuse=lambda design: "",
        designs=DESIGNS,
        clock: Clock | None = None,
    ) -> None:
        plan = Plan(lanes=2, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)
        strategy = Listening(designs, goes_on=lambda trial: trial not in self.early)
        self._ends = strategy.ends
        self.warned: list[str] = []
        self.storage_fault = ""
        self.left: set[str] = set()
        follow = Follower(strategy)
        self.recorder = Recorder(
            run, plan, None, (1, 8, 8), 10, Scalars(run), [follow], clock=clock
        )
        self.said: list[int] = []
        self.interrupted = False
        self.early: set[int] = set()
        self.lanes = 1000
        self.scheduler = LegScheduler(
            strategy,
            self.recorder,
            budget,
            refuse=refuse,
            lanes=lambda: self.lanes,
            seed=7,
            say=lambda trial: self.said.append(trial.trial),
            interrupted=lambda: self.interrupted,
            storage_fault=lambda: self.storage_fault,
            warn=self.warned.append,
            has_left=lambda place: place in self.left,
        )

    def begin(self, count: int = 1) -> list[int]:
        """Trials of the next so many legs."""
        return [self.scheduler.next_leg().trial for _ in range(count)]

    def heard(self, number: int, epoch: int = 1, **fields) -> bool:
        return self.scheduler.heard(number, report(epoch, **fields), "group")

    def blamed(self) -> list[int]:
        """Trials of whose designs the strategy was told that they fail."""
        return [trial for trial, failed in self._ends if failed]

    def state(self, trial: int) -> tuple[str, str]:
        known = self.recorder.state.trials[trial]
        return known.state, known.reason


def report(epoch: int, accuracy: float = 0.5, loss: float = 1.0) -> dict:
    result = EpochResult(epoch, loss, accuracy, loss, accuracy, 1.0, 0.1, 10.0, 1)
    return dataclasses.asdict(result) | {"precision": "", "device": "cpu"}

"""A run of many sessions without a cluster, whose clock goes on when it is told to."""

import dataclasses
from pathlib import Path
from typing import Any

from models.design import Design
from models.training.training_run import EpochResult
from search.record import ledger
from search.record.recorder import Recorder
from search.record.state import SearchState, fold
from search.record.tensorboard_events import Scalars
from search.terms.accounts import Share
from search.terms.budget import Budget
from search.terms.plan import Plan
from search.terms.price import bill_of

QUARTER, WHOLE = Share(1, 1, 0.25), Share(1, 1, 1.0)
DESIGN = Design(kernels=(), dense=(1,), epochs=99)


class Bench:
    """A run of many sessions, with a clock that goes on when it is told to."""

    def __init__(self, run: Path, share: Share = WHOLE) -> None:
        self.run, self.now = run, 1e9
        self.open(share)

    def open(self, share: Share) -> None:
        """A session begins; the one before was closed, or killed."""
        plan = Plan(4, share.workers, int(share.cpus_per_worker), share.gpus_per_worker)
        known = self.read() if (self.run / "ledger").exists() else None
        self.recorder = Recorder(
            self.run,
            plan,
            2.0,
            (1, 8, 8),
            10,
            Scalars(self.run),
            known=known,
            clock=lambda: self.now,
        )
        for number in self.recorder.running():
            self.recorder.go_on(number)

    def start(self, to_epoch: int = 99) -> int:
        return self.recorder.start(DESIGN, 0, to_epoch=to_epoch)

    def told(self, number: int, seconds: float, evaluation: float = 0.0, epoch: int = 0) -> None:
        """An epoch's seconds of all workers."""
        told = epoch or self.recorder.state.trials[number].last_epoch + 1
        self.recorder.epoch(number, result(told, 1.0, seconds, evaluation), "group")

    def read(self) -> SearchState:
        return fold(ledger.read(self.run / "ledger"))

    def gpu_hours(self) -> float:
        """What the live search has used; the ledger says the same."""
        live = bill_of(self.recorder.state.held(self.now), 2.0)
        assert live == bill_of(self.read().held(self.now), 2.0)
        assert live.gpu_hours is not None
        for more in (-1e-6, 1e-6):
            over = self.recorder.spent(Budget(gpu_hours=live.gpu_hours + more))
            assert over == ("GPU-hours" if more < 0 else "")
        return live.gpu_hours


def result(epoch: int, loss: float, seconds: float, evaluation: float = 0.0) -> dict[str, Any]:
    """What a lane answers."""
    told = EpochResult(epoch, loss, 0.5, loss, 0.5, seconds, evaluation, 10.0, 1)
    return dataclasses.asdict(told) | {"precision": "", "device": "cpu"}

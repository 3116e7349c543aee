"""Discrete-event simulator of a search: replays recorded learning curves in simulated time."""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.replay.curve_table import CurveTable, Point, TableSpace
from search.terms.actions import Resume, Start, Strategy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Event:
    """The end of a trial's epoch."""

    time: float
    """Simulated seconds since the beginning."""
    trial: int
    epoch: int
    accuracy: float
    seconds: float
    """Seconds of training of this trial, up to and including this epoch."""
    spent: float
    """Worker-seconds of the search so far: of all workers, idle or not, while designs remain, then
    of the busy ones."""


class Trainer(Protocol):
    """Supplies the learning curves in place of training."""

    def take(self, design: Point) -> tuple[Point, int] | None:
        """The design that is trained in place of a proposed one, and the number of its curve; None
        when none is left."""

    def curve(self, number: int) -> tuple[Array, Array]:
        """Accuracies (T,) and seconds (T,) by epoch."""


class RecordedTrainer:
    """Trains each configuration of a table at most once: the nearest one to each proposal."""

    def __init__(self, table: CurveTable, space: TableSpace) -> None:
        self._table, self._space = table, space
        self._places = space.place(table.points)
        self._left = np.ones(len(table), bool)

    def take(self, design: Point) -> tuple[Point, int] | None:
        """The nearest configuration that is left, and its number in the table."""
        if not self._left.any():
            return None
        apart = ((self._places - self._space.coordinates(design)) ** 2).sum(1)
        number = int(np.where(self._left, apart, np.inf).argmin())
        self._left[number] = False
        return tuple(self._table.points[number].tolist()), number

    def curve(self, number: int) -> tuple[Array, Array]:
        """The recorded curve of a configuration."""
        return self._table.accuracies[number], self._table.seconds[number]


class UnboundedTrainer:
    """Trains any design, without limit: its curve is that of the nearest configuration, shifted by
    noise that is a function of the design."""

    NOISE = 0.01

    def __init__(self, table: CurveTable, space: TableSpace) -> None:
        self._table, self._space = table, space
        self._places = space.place(table.points)
        self._moved: list[tuple[int, float]] = []

    def take(self, design: Point) -> tuple[Point, int] | None:
        """The proposed design itself; never None."""
        apart = ((self._places - self._space.coordinates(design)) ** 2).sum(1)
        drawn = hashlib.sha256(np.array(design).tobytes()).digest()
        noise = np.random.default_rng(list(drawn[:8])).normal(0, self.NOISE)
        self._moved.append((int(apart.argmin()), float(noise)))
        return design, len(self._moved) - 1

    def curve(self, number: int) -> tuple[Array, Array]:
        """The shifted curve of the design that was the number-th to be taken."""
        nearest, noise = self._moved[number]
        accuracies = np.clip(self._table.accuracies[nearest] + noise, 0, 1)
        return accuracies, self._table.seconds[nearest]


@dataclass
class _Run:
    """The simulated training of a trial."""

    curve: tuple[Array, Array]
    epoch: int = 0
    to_epoch: int = 0
    seconds: float = 0.0


def replay(
    strategy: Strategy[Point], trainer: Trainer, workers: int, most_trials: float = float("inf")
) -> Iterator[Event]:
    """Simulates a search; yields epochs in the order of their ends, until nothing is left to train.

    Each worker that is free asks `strategy` for an action; resuming costs nothing; the strategy is
    given the hyperparameters of the configuration that is trained in place of its proposal.
    """
    return _Replay(strategy, trainer, workers, most_trials).events()


class _Replay:
    def __init__(
        self, strategy: Strategy[Point], trainer: Trainer, workers: int, most_trials: float
    ) -> None:
        self._strategy, self._trainer, self._most = strategy, trainer, most_trials
        self._workers = self._idle = workers
        self._trials: dict[int, _Run] = {}
        self._ends: list[tuple[float, int, int]] = []
        """The event queue, a heap of epoch ends: (time, counter, trial)."""
        self._count = 0
        self._now = self._spent = 0.0
        self._exhausted = False

    def events(self) -> Iterator[Event]:
        self._give_work()
        while self._ends:
            time, _, number = heapq.heappop(self._ends)
            charged = len(self._ends) + 1 if self._exhausted else self._workers
            self._spent += (time - self._now) * charged
            self._now = time
            event = self._train(number)
            yield event
            self._give_work()

    def _train(self, number: int) -> Event:
        run = self._trials[number]
        accuracies, seconds = run.curve
        run.epoch += 1
        run.seconds += float(seconds[run.epoch - 1])
        accuracy = float(accuracies[run.epoch - 1])
        self._strategy.told(number, run.epoch, accuracy, float(seconds[run.epoch - 1]))
        goes_on = self._strategy.goes_on(number)
        if goes_on and run.epoch < run.to_epoch:
            self._begin_epoch(number)
        else:
            if not goes_on or run.epoch == len(accuracies):
                self._strategy.ended(number, failed=False)
            self._idle += 1
        return Event(self._now, number, run.epoch, accuracy, run.seconds, self._spent)

    def _give_work(self) -> None:
        self._exhausted = self._exhausted or len(self._trials) >= self._most
        while self._idle:
            new = not self._exhausted and len(self._trials) < self._most
            action = self._strategy.next(new=new) or (None if new else self._strategy.last_resort())
            if action is None:
                return
            if isinstance(action, Start) and not self._start(action):
                self._exhausted = True
                continue
            if isinstance(action, Resume):
                self._strategy.decided()
                self._strategy.resumed(action.trial, action.to_epoch)
                self._trials[action.trial].to_epoch = action.to_epoch
                self._begin_epoch(action.trial)
            self._idle -= 1

    def _start(self, action: Start[Point]) -> bool:
        taken = self._trainer.take(action.design)
        if taken is None:
            return False
        design, curve = taken
        number = len(self._trials)
        self._strategy.decided()
        self._strategy.started(number, design, action.to_epoch, action.name)
        self._trials[number] = _Run(self._trainer.curve(curve), to_epoch=action.to_epoch)
        self._begin_epoch(number)
        return True

    def _begin_epoch(self, number: int) -> None:
        run = self._trials[number]
        self._count += 1
        end = self._now + float(run.curve[1][run.epoch])
        heapq.heappush(self._ends, (end, self._count, number))

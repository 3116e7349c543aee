"""What a strategy is asked and told: the words between it and those who train."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

D = TypeVar("D", bound=Hashable)
"""A design: a network's in a search, a point of a table in a replay."""


class Suggest(Protocol):
    """Answers a space's questions; optuna.Trial is one who does."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number, low to high."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number, low to high."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""


class Space(Protocol[D]):
    """Where designs come from, define-by-run: what is asked depends on what was answered."""

    @property
    def max_epochs(self) -> int:
        """The longest training of any design."""

    def sample(self, suggest: Suggest) -> D:
        """The design that the answers of `suggest` give."""

    def answers(self, design: D) -> Mapping[str, Any]:
        """The answers with which `sample` gives `design`, or one as near to it as there is."""

    def coordinates(self, design: D) -> NDArray[np.float64]:
        """The design as a point, each coordinate in 0..1, for models of distance."""

    def epochs(self, design: D) -> int:
        """How long a design is trained at most."""

    def is_result(self, design: D, epoch: int) -> bool:
        """Whether who trains a design for just `epoch` epochs gets what it had then."""


@dataclass(frozen=True)
class ExpectedGain:
    """What the best next action promised when it was chosen."""

    points: float
    """Expected gain of accuracy over the best so far, percentage points."""
    seconds: float
    """Expected worker-seconds until the action's design is trained to its end."""


@dataclass(frozen=True)
class Start(Generic[D]):
    """Begin a trial of a design, and train it to an epoch."""

    design: D
    to_epoch: int
    by: str
    """Who proposed it."""
    name: str = ""
    expected: ExpectedGain | None = None


@dataclass(frozen=True)
class Resume:
    """Go on with a paused trial, to an epoch."""

    trial: int
    to_epoch: int
    expected: ExpectedGain | None = None


class Strategy(Protocol[D]):
    """Decides what a free worker does. It has no clock, and the same seed and the same story give
    the same answers: those in `next` change nothing, what follows from them is told."""

    def next(self, *, new: bool = True) -> Start[D] | Resume | None:
        """What a free worker does; None when there is nothing now. Without `new` no trial is
        begun."""

    def last_resort(self) -> Resume | None:
        """What a worker does for which there is no design to begin."""

    def went_on(self) -> None:
        """Another session begins: what was in mind but never taken up is not known to it."""

    def decided(self) -> None:
        """An answer of `next` was taken up: the next is another decision."""

    def refused(self, design: D) -> None:
        """A design is not to be trained, now or ever."""

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """A trial began."""

    def resumed(self, trial: int, to_epoch: int) -> None:
        """A paused trial goes on."""

    def told(self, trial: int, epoch: int, accuracy: float | None, seconds: float) -> None:
        """An epoch's accuracy (0..1, None if it diverged) and worker-seconds of training."""

    def measured(self, trial: int, value: float) -> None:
        """What a trial has of the second objective, where that is not its cost."""

    def goes_on(self, trial: int) -> bool:
        """Whether a trial is trained further after what was told last."""

    def ended(self, trial: int, *, failed: bool) -> None:
        """A trial is over."""

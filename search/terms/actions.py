"""Interfaces of a search: the strategy, the search space, the parameter suggester, and the actions
(start a trial, resume a paused one) that a strategy returns to whoever trains."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from search.terms.time_left import TimeLeft

D = TypeVar("D", bound=Hashable)
"""A design, i.e. a hyperparameter configuration: of a network in a search, a point of a table of
recorded curves in a replay."""


class Suggest(Protocol):
    """Chooses values of hyperparameters for a define-by-run space, as optuna.Trial does."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """An integer from low to high, both included."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A float from low to high, both included."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""


class Space(Protocol[D]):
    """A define-by-run search space: which hyperparameters exist depends on earlier values."""

    @property
    def max_epochs(self) -> int:
        """The largest number of epochs of any design."""

    def sample(self, suggest: Suggest) -> D:
        """The design made of the hyperparameter values that `suggest` chooses."""

    def answers(self, design: D) -> Mapping[str, Any]:
        """The hyperparameter values, by name, from which `sample` makes `design`, or the design of
        the space nearest to it: the inverse of `sample`."""

    def coordinates(self, design: D) -> NDArray[np.float64]:
        """The design as a feature vector (d,), each coordinate in 0..1, for a kernel."""

    def epochs(self, design: D) -> int:
        """The number of epochs after which a design's training is complete."""

    def is_result(self, design: D, epoch: int) -> bool:
        """Whether the accuracy after `epoch` is what a training of just so many epochs would give:
        not so in the middle of a learning-rate schedule."""

    def work(self, design: D) -> NDArray[np.float64]:
        """The work of one epoch by kind (k,), of which its seconds are a sum with non-negative
        weights; () where nothing is known of it."""

    def persistence(self, design: D) -> float:
        """How fast the design's error goes on falling in long trainings, beside others: 1 for
        most, less for one that learns its images by heart sooner."""

    def in_one_cycle(self, design: D, epochs: int) -> D:
        """The design, trained for just so many epochs in one learning-rate cycle."""


@dataclass(frozen=True)
class ExpectedGain:
    """Expected gain and cost of an action, at the time when the strategy chose it."""

    points: float
    """Expected improvement of accuracy over the incumbent, percentage points."""
    seconds: float
    """Expected worker-seconds until the action's design is trained to its last epoch."""


@dataclass(frozen=True)
class Start(Generic[D]):
    """Action: start a new trial of a design, and train it to an epoch."""

    design: D
    to_epoch: int
    by: str
    """The searcher that proposed the design."""
    name: str = ""
    expected: ExpectedGain | None = None


@dataclass(frozen=True)
class Resume:
    """Action: promote a paused trial, and train it on to an epoch."""

    trial: int
    to_epoch: int
    expected: ExpectedGain | None = None


class Strategy(Protocol[D]):
    """A search strategy: decides which trial a free lane trains next.

    Deterministic and without a clock: the same seed and the same sequence of events give the same
    actions. `next` does not change the observed state; whatever follows from its action is
    reported by the other methods.
    """

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Start[D] | Resume | None:
        """The action for a free lane; None when there is none now. Without `new` no trial is
        started. `left` is None where the budget does not limit time."""

    def last_resort(self) -> Resume | None:
        """A promotion for a lane that would stand idle because no design is left to start."""

    def went_on(self) -> None:
        """A new session of the run begins: drops choices that were computed but never taken up."""

    def decided(self) -> None:
        """The action of `next` was taken up: the next one is another decision."""

    def refused(self, design: D) -> None:
        """A design violates a constraint, and must never be proposed again."""

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """A trial has started."""

    def resumed(self, trial: int, to_epoch: int) -> None:
        """A paused trial has been promoted."""

    def told(
        self,
        trial: int,
        epoch: int,
        accuracy: float | None,
        seconds: float,
        evaluation: float = 0.0,
    ) -> None:
        """An epoch's result: accuracy (0..1, None if it diverged), worker-seconds of training, and
        of the evaluation after it."""

    def measured(self, trial: int, value: float) -> None:
        """A trial's value of the second objective, where that is not its training cost."""

    def goes_on(self, trial: int) -> bool:
        """Whether a trial is trained further after its newest result; False stops it early."""

    def ended(self, trial: int, *, failed: bool) -> None:
        """A trial has ended for good."""

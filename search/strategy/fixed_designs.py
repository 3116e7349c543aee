"""The strategy that trains a given list of designs, in order, each to its last epoch; no search."""

from collections.abc import Callable, Sequence
from typing import Generic

from models.design import Design
from search.terms.actions import D, Resume, Start
from search.terms.time_left import TimeLeft


class NonLearningStrategy(Generic[D]):
    """Base class of a `Strategy` (search/terms/actions.py) that ignores all results."""

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Start[D] | Resume | None:
        """The action for a free lane."""
        raise NotImplementedError

    def last_resort(self) -> Resume | None:
        """None: without designs the lane stays idle."""
        return None

    def went_on(self) -> None:
        """Nothing."""

    def decided(self) -> None:
        """Nothing."""

    def refused(self, design: D) -> None:
        """Nothing."""

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """Nothing."""

    def resumed(self, trial: int, to_epoch: int) -> None:
        """Nothing."""

    def told(
        self,
        trial: int,
        epoch: int,
        accuracy: float | None,
        seconds: float,
        evaluation: float = 0.0,
    ) -> None:
        """Nothing."""

    def measured(self, trial: int, value: float) -> None:
        """Nothing."""

    def goes_on(self, trial: int) -> bool:
        """Always."""
        return True

    def ended(self, trial: int, *, failed: bool) -> None:
        """Nothing."""


class FixedDesigns(NonLearningStrategy[Design]):
    """Starts the given designs in order, and then nothing more."""

    def __init__(
        self,
        designs: Sequence[tuple[str, Design]],
        goes_on: Callable[[int], bool] = lambda trial: True,
    ) -> None:
        """(name, design) pairs; `goes_on` tells of a trial whether it is trained further."""
        self._designs, self._goes_on = designs, goes_on
        self._taken = 0

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Start[Design] | None:
        """The next design."""
        if not new or self._taken >= len(self._designs):
            return None
        name, design = self._designs[self._taken]
        return Start(design, design.epochs, "given", name)

    def decided(self) -> None:
        """Advances to the next design."""
        self._taken += 1

    def goes_on(self, trial: int) -> bool:
        """The answer of the `goes_on` that was given."""
        return self._goes_on(trial)

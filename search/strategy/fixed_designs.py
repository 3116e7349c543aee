"""Strategies without a strategy: given designs, in their order, each in full."""

from collections.abc import Callable, Sequence
from typing import Generic

from models.design import Design
from search.terms.actions import D, Resume, Start


class NonLearningStrategy(Generic[D]):
    """Is told, and learns nothing: `Strategy` of search/terms/actions.py."""

    def next(self, *, new: bool = True) -> Start[D] | Resume | None:
        """What a free worker does."""
        raise NotImplementedError

    def last_resort(self) -> Resume | None:
        """Nothing: without designs it stands still."""
        return None

    def went_on(self) -> None:
        """Nothing to learn; so below."""

    def decided(self) -> None:
        """Nothing."""

    def refused(self, design: D) -> None:
        """Nothing."""

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """Nothing."""

    def resumed(self, trial: int, to_epoch: int) -> None:
        """Nothing."""

    def told(self, trial: int, epoch: int, accuracy: float | None, seconds: float) -> None:
        """Nothing."""

    def measured(self, trial: int, value: float) -> None:
        """Nothing."""

    def goes_on(self, trial: int) -> bool:
        """Always."""
        return True

    def ended(self, trial: int, *, failed: bool) -> None:
        """Nothing."""


class FixedDesigns(NonLearningStrategy[Design]):
    """The given designs, and then no more."""

    def __init__(
        self,
        designs: Sequence[tuple[str, Design]],
        goes_on: Callable[[int], bool] = lambda trial: True,
    ) -> None:
        """Designs by name; `goes_on` tells of a trial whether it is trained further."""
        self._designs, self._goes_on = designs, goes_on
        self._taken = 0

    def next(self, *, new: bool = True) -> Start[Design] | None:
        """The next design."""
        if not new or self._taken >= len(self._designs):
            return None
        name, design = self._designs[self._taken]
        return Start(design, design.epochs, "given", name)

    def decided(self) -> None:
        """On to the next one."""
        self._taken += 1

    def goes_on(self, trial: int) -> bool:
        """As it was said."""
        return self._goes_on(trial)

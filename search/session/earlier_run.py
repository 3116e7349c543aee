"""A run that is resumed, as its folder has it."""

import dataclasses
from dataclasses import replace
from pathlib import Path

from models.data.dataset import Dataset
from models.design import Design
from search.cli.options import RunOptions
from search.record.state import SearchState


@dataclasses.dataclass(frozen=True)
class Earlier:
    """A run that is resumed."""

    folder: Path
    options: RunOptions
    known: SearchState
    fingerprint: str
    warm: tuple[tuple[str, Design], ...] = ()
    """The warm-start designs that it began with, by name."""
    pixels: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Means and standard deviations of the channels, as at its beginning."""
    take_over: bool = False
    """Whether to take the run over from another process that trains it."""

    def normalised(self, dataset: Dataset) -> Dataset:
        """`dataset` with the channel means and deviations that the run began with."""
        if self.pixels is None:
            return dataset
        return replace(dataset, mean=self.pixels[0], deviation=self.pixels[1])

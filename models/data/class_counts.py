"""How many images each class has, and what to say where classes differ much in size."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.data.dataset import Dataset, load
from models.data.names import readable
from models.data.selection import Selection

UNEVEN = 1.5
"""From so many times on accuracy alone misleads: balanced accuracy is told beside it."""
NOTICED = 5.0
"""Beyond so many times a notice says so."""


class Extremes(NamedTuple):
    """The classes with the most and with the fewest images, and how many these are."""

    largest: str
    most: int
    smallest: str
    fewest: int


def count(labels: NDArray[np.int64], classes: int) -> list[int]:
    """The images of each class of `labels` (n,)."""
    return np.bincount(labels, minlength=classes).tolist()


def count_selected(dataset: Dataset, selection: Selection) -> list[int]:
    """Of the training images that a run uses, to train or to validate on."""
    rows = [selection.train]
    if selection.validation_part == "train":
        rows.append(selection.validation)
    labels = load(dataset, "train").labels.numpy()
    return count(labels[np.concatenate(rows)], len(dataset.classes))


def ratio(counts: Sequence[int]) -> float:
    """How many times as many images the largest class has as the smallest; infinite where that has
    none."""
    if not counts:
        return 1.0
    return max(counts) / min(counts) if min(counts) else float("inf")


def is_uneven(counts: Sequence[int]) -> bool:
    """Whether balanced accuracy is told beside accuracy."""
    return ratio(counts) > UNEVEN


def extremes(classes: Sequence[str], counts: Sequence[int]) -> Extremes:
    """Of classes by name, the first of equals."""
    most, fewest = max(counts), min(counts)
    return Extremes(classes[counts.index(most)], most, classes[counts.index(fewest)], fewest)


def notice(classes: Sequence[str], counts: Sequence[int]) -> str:
    """One line for classes that differ by more than five times; empty for others."""
    if ratio(counts) <= NOTICED:
        return ""
    found = extremes(classes, counts)
    return (
        f"classes differ in size: {readable(found.largest)} has {found.most:,} training images, "
        f"{readable(found.smallest)} {found.fewest:,}; accuracy counts each image alike, balanced "
        "accuracy (the mean of the classes' recalls) each class"
    )

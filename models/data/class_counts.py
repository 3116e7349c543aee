"""Class imbalance: images of each class, the ratio of largest to smallest, and its notice."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.data.dataset import Dataset, load
from models.data.names import readable
from models.data.selection import Selection

UNEVEN = 1.5
"""Ratio of class sizes above which balanced accuracy is reported beside accuracy."""
NOTICED = 5.0
"""Ratio of class sizes above which a notice is given."""


class Extremes(NamedTuple):
    """The classes with the most and with the fewest images, and how many these are."""

    largest: str
    most: int
    smallest: str
    fewest: int


def count(labels: NDArray[np.int64], classes: int) -> list[int]:
    """Number of images of each class, given their `labels` (n,)."""
    return np.bincount(labels, minlength=classes).tolist()


def count_selected(dataset: Dataset, selection: Selection) -> list[int]:
    """Images of each class among the training images that a run trains or validates on."""
    rows = [selection.train]
    if selection.validation_part == "train":
        rows.append(selection.validation)
    labels = load(dataset, "train").labels.numpy()
    return count(labels[np.concatenate(rows)], len(dataset.classes))


def ratio(counts: Sequence[int]) -> float:
    """Size of the largest class divided by that of the smallest; infinite where the smallest is
    empty."""
    if not counts:
        return 1.0
    return max(counts) / min(counts) if min(counts) else float("inf")


def is_uneven(counts: Sequence[int]) -> bool:
    """Whether balanced accuracy is reported beside accuracy: the ratio is above UNEVEN."""
    return ratio(counts) > UNEVEN


def extremes(classes: Sequence[str], counts: Sequence[int]) -> Extremes:
    """The largest and the smallest class by name; of equals the first."""
    most, fewest = max(counts), min(counts)
    return Extremes(classes[counts.index(most)], most, classes[counts.index(fewest)], fewest)


def notice(classes: Sequence[str], counts: Sequence[int]) -> str:
    """A one-line warning where the ratio of class sizes is above NOTICED; else empty."""
    if ratio(counts) <= NOTICED:
        return ""
    found = extremes(classes, counts)
    return (
        f"classes differ in size: {readable(found.largest)} has {found.most:,} training images, "
        f"{readable(found.smallest)} {found.fewest:,}; accuracy counts each image alike, balanced "
        "accuracy (the mean of the classes' recalls) each class"
    )

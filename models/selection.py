"""Which images of a data set train and which validate, worked out once and carried as numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from models.dataset import Dataset, Part, load
from models.images import Subset, split

ValidateOn = Literal["validation", "test"]


@dataclass(frozen=True)
class Selection:
    """Rows (n,) of the training images that train, and of a part that validate."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    validation_part: Part


def select(dataset: Dataset, train_images: int | None, validate_on: ValidateOn) -> Selection:
    """Validation held out of `train_images` (all if None), or as the transcript did: all of them
    train, and the test images validate. DataError where they are too few."""
    train, validation = split(load(dataset, "train"), train_images)
    rows, held_out = train.index.numpy(), validation.index.numpy()
    if validate_on == "validation":
        return Selection(rows, held_out, "train")
    everything = np.sort(np.concatenate([rows, held_out]))
    return Selection(everything, np.arange(dataset.test_count), "test")


def subsets(dataset: Dataset, selection: Selection) -> tuple[Subset, Subset]:
    """The images that train and those that validate."""
    images = load(dataset, "train")
    validation = images if selection.validation_part == "train" else load(dataset, "test")
    return (
        Subset(images, torch.from_numpy(selection.train)),
        Subset(validation, torch.from_numpy(selection.validation)),
    )

"""Selection of a run's training and validation images, as indices that workers are given."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from models.data.dataset import Dataset, channel_statistics, load
from models.data.folder_layout import Part
from models.data.images import Subset, draw, split
from models.data.names import some

ValidateOn = Literal["validation", "test"]
FEW = 10
"""Classes with fewer training images than this get a notice."""


@dataclass(frozen=True)
class Selection:
    """Indices (n,) of the images of `train` that train, and of those of a part that validate."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    validation_part: Part


def select(dataset: Dataset, train_images: int | None, validate_on: ValidateOn) -> Selection:
    """Chooses the training and validation images of a run.

    A tenth of `train_images` (all if None) is held out, unless the data set has a validation part.
    With "test", as in the transcript, all of them train and the test images validate. DataError
    where there are too few.
    """
    images = load(dataset, "train")
    if validate_on == "test":
        return Selection(draw(images, train_images), np.arange(dataset.test_count), "test")
    if dataset.validation_count:
        held_out = np.arange(dataset.validation_count)
        return Selection(draw(images, train_images), held_out, "validation")
    train, validation = split(images, train_images, dataset.classes)
    return Selection(train.index.numpy(), validation.index.numpy(), "train")


def trained_on(dataset: Dataset, selection: Selection) -> Dataset:
    """`dataset` with channel statistics of the training images only, and a notice of small
    classes."""
    images = load(dataset, "train")
    mean, deviation = channel_statistics(images.pixels.numpy(), selection.train)
    notices = (*dataset.notices, *_few(dataset, selection))
    return dataclasses.replace(dataset, mean=mean, deviation=deviation, notices=notices)


def subsets(dataset: Dataset, selection: Selection) -> tuple[Subset, Subset]:
    """The images that train and those that validate."""
    images = load(dataset, "train")
    part = selection.validation_part
    validation = images if part == "train" else load(dataset, part)
    return (
        Subset(images, torch.from_numpy(selection.train)),
        Subset(validation, torch.from_numpy(selection.validation)),
    )


def _few(dataset: Dataset, selection: Selection) -> list[str]:
    train, validation = (
        np.bincount(part.images.labels[part.index].numpy(), minlength=len(dataset.classes))
        for part in subsets(dataset, selection)
    )
    few = [
        f"{dataset.classes[label]} ({train[label]} train, {validation[label]} validate)"
        for label in np.argsort(train, kind="stable")
        if train[label] < FEW
    ]
    return [f"few images of a class: {some(few)}"] if few else []

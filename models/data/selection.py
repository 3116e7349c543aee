"""Which images of a data set train and which validate, worked out once and carried as numbers."""

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
"""Fewer training images of a class are worth a word."""


@dataclass(frozen=True)
class Selection:
    """Rows (n,) of the training images that train, and of a part that validate."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    validation_part: Part


def select(dataset: Dataset, train_images: int | None, validate_on: ValidateOn) -> Selection:
    """Validation held out of `train_images` (all if None), unless the data set has a part for it;
    or as the transcript did: all of them train, and the test images validate. DataError where they
    are too few."""
    images = load(dataset, "train")
    if validate_on == "test":
        return Selection(draw(images, train_images), np.arange(dataset.test_count), "test")
    if dataset.validation_count:
        held_out = np.arange(dataset.validation_count)
        return Selection(draw(images, train_images), held_out, "validation")
    train, validation = split(images, train_images, dataset.classes)
    return Selection(train.index.numpy(), validation.index.numpy(), "train")


def trained_on(dataset: Dataset, selection: Selection) -> Dataset:
    """`dataset` with the means and deviations of the images that train, not of those that
    validate; and a notice of classes that have few."""
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

"""Labelled images in memory, and which of them train and which validate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SPLIT_SEED = 0
"""Fixed, whatever a search's own seed: every search validates on the same images."""
VALIDATION_SHARE = 0.1


class DataError(ValueError):
    """The data cannot be used; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Images:
    """pixels (n, channels, height, width) uint8 and labels (n,) int64, on one device."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Images":
        """The same images on `device`; no copy where they are there already."""
        return Images(self.pixels.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Subset:
    """Those of `images` that `index` (n,) int64 names; the pixels are not copied."""

    images: Images
    index: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def sample(self, count: int) -> "Subset":
        """At most `count` of these, the same ones each time."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(SPLIT_SEED))
        return Subset(self.images, self.index[order[:count].sort().values])


def everything(images: Images) -> Subset:
    """All the images."""
    return Subset(images, torch.arange(len(images)))


def noise_images(count: int, shape: Sequence[int], classes: int) -> Images:
    """`count` images of noise, `shape` (channels, height, width), the same ones each time: for
    measuring speed."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)
    return Images(pixels, torch.randint(0, classes, (count,), generator=generator))


def split(images: Images, count: int | None = None) -> tuple[Subset, Subset]:
    """Train and validation subsets: 10 % stratified for validation, out of `count` images.

    Without `count`, out of all. The same images give the same split, always. DataError where a
    class has too few images to stand on both sides.
    """
    from sklearn.model_selection import train_test_split  # slow to import; workers do without

    labels = images.labels.numpy()
    index = np.arange(len(labels))
    classes = len(np.unique(labels))
    if count is not None and count > len(labels):
        raise DataError(f"--train-images {count} is more than the {len(labels)} training images")
    if count is not None:
        index = _draw(labels, count)
    try:
        train, validation = train_test_split(
            index, test_size=VALIDATION_SHARE, stratify=labels[index], random_state=SPLIT_SEED
        )
    except ValueError as error:
        used = len(labels) if count is None else count
        raise DataError(
            f"{used} training images of {classes} classes are too few to hold out "
            f"{VALIDATION_SHARE:.0%} of each class: give at least {int(classes / VALIDATION_SHARE)}"
            ", and 2 a class"
        ) from error
    return (
        Subset(images, torch.from_numpy(np.sort(train))),
        Subset(images, torch.from_numpy(np.sort(validation))),
    )


def _draw(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Indices of `count` images by chance, of each class in proportion."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    depth = np.empty(len(labels))  # how far down its class an image stands, 0..1
    for label in np.unique(labels):
        members = order[labels[order] == label]
        depth[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(np.argsort(depth, kind="stable")[:count])


def to_device(subsets: Sequence[Subset], device: torch.device) -> list[Subset]:
    """The subsets on `device`; images that they share are moved once."""
    moved = {id(subset.images): subset.images.to(device) for subset in subsets}
    return [Subset(moved[id(subset.images)], subset.index.to(device)) for subset in subsets]

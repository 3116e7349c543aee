"""Labelled images as tensors, and their stratified split into training and validation subsets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import quantities
from models.data.names import readable, some

SPLIT_SEED = 0
"""Seed of splits and samples, whatever a search's own seed: every search validates on the same
images."""
VALIDATION_SHARE = 0.1


class DataError(ValueError):
    """The data cannot be used; the message is one line that says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(readable(message))  # paths may hold anything


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
    """The images with the indices `index` (n,) int64, as a view: the pixels are not copied."""

    images: Images
    index: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def sample(self, count: int) -> "Subset":
        """A random subset of at most `count` of these, the same one each time."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(SPLIT_SEED))
        return Subset(self.images, self.index[order[:count].sort().values])


def everything(images: Images) -> Subset:
    """The subset of all images."""
    return Subset(images, torch.arange(len(images)))


def noise_images(count: int, shape: Sequence[int], classes: int) -> Images:
    """Random images for measuring speed, `shape` (channels, height, width), the same ones each
    time."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)
    return Images(pixels, torch.randint(0, classes, (count,), generator=generator))


def split(
    images: Images, count: int | None = None, classes: Sequence[str] = ()
) -> tuple[Subset, Subset]:
    """Stratified split into training and validation subsets, 10 % for validation.

    With `count`, that many images are drawn first. Each class has at least one image on both sides.
    The same images always give the same split. DataError, with the name of the class out of
    `classes`, where there are too few images for that.
    """
    from sklearn.model_selection import train_test_split  # slow to import; workers do without

    labels = images.labels.numpy()
    several = _check_split(labels, len(labels) if count is None else count, classes)
    index = draw(images, count)
    held_out = math.ceil(VALIDATION_SHARE * len(index))
    train, validation = train_test_split(
        index,
        test_size=VALIDATION_SHARE if held_out >= several else several,
        stratify=labels[index],
        random_state=SPLIT_SEED,
    )
    validation, train = _with_all_classes(validation, train, labels)
    train, validation = _with_all_classes(train, validation, labels)
    return (
        Subset(images, torch.from_numpy(np.sort(train))),
        Subset(images, torch.from_numpy(np.sort(validation))),
    )


def draw(images: Images, count: int | None) -> NDArray[np.int64]:
    """Stratified random sample: indices (m,) of `count` images; of all images without `count`.

    At least two of each class where there are so many. DataError where `count` is more than there
    are, or too few for the classes.
    """
    labels = images.labels.numpy()
    if count is None:
        return np.arange(len(labels))
    if count > len(labels):
        raise DataError(f"--train-images {count} is more than the {len(labels)} training images")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    depth = np.empty(len(labels))  # how far down its class an image stands, 0..1
    for label in np.unique(labels):
        members = order[labels[order] == label]
        depth[members] = (np.arange(len(members)) + 0.5) / len(members)
        depth[members[:2]] = (-2, -1)[: len(members)]
    chosen = np.sort(np.argsort(depth, kind="stable")[:count])
    several = len(np.unique(labels))
    if len(np.unique(labels[chosen])) < several:
        raise DataError(f"{_few(count)} of {several} classes are too few: give at least {several}")
    return chosen


def _few(count: int) -> str:
    return quantities.count(count, "training image")


def _check_split(labels: NDArray[np.int64], count: int, classes: Sequence[str]) -> int:
    """The number of classes; DataError unless two images of each can be among `count`."""
    present, sizes = np.unique(labels, return_counts=True)
    rare = [classes[label] if classes else str(label) for label in present[sizes < 2]]
    need = "one to train and one to validate"
    if rare:
        has = "class {} has" if len(rare) == 1 else "classes {} each have"
        raise DataError(
            f"{has.format(some(rare))} one training image only: at least two are needed, {need}; "
            "add images, or take the class out of all parts"
        )
    if count < 2 * len(present):
        raise DataError(
            f"{_few(count)} of {len(present)} classes are too few: give at least "
            f"{2 * len(present)}, of each class {need}"
        )
    return len(present)


def _with_all_classes(
    one: NDArray[np.int64], other: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Moves one image of each class that `one` lacks from `other`; both index arrays."""
    for label in np.setdiff1d(labels[other], labels[one]):
        moved = np.flatnonzero(labels[other] == label)[0]
        one, other = np.append(one, other[moved]), np.delete(other, moved)
    return one, other


def to_device(subsets: Sequence[Subset], device: torch.device) -> list[Subset]:
    """The subsets on `device`; images that several share are moved once."""
    moved = {id(subset.images): subset.images.to(device) for subset in subsets}
    return [Subset(moved[id(subset.images)], subset.index.to(device)) for subset in subsets]

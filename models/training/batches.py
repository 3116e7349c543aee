"""An epoch's batches: shuffled, augmented and normalised on the device, many at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from models.data.images import Subset
from models.design import Augmentation, Design
from models.training.augmentation import Normaliser, augment, cut_out, draw

PREPARED_BYTES = {"cuda": 1 << 28, "mps": 1 << 26, "cpu": 1 << 21}
"""Bytes of an epoch that are prepared at once: small networks take less time for a batch than
the calls that prepare it, while on a CPU what is prepared should stay in the caches."""


def batches(
    train: Subset,
    normalise: Normaliser,
    augmentation: Augmentation,
    *,
    size: int,
    rank: int,
    workers: int,
    seed: int,
    memory_format: torch.memory_format,
) -> Iterator[tuple[Tensor, Tensor]]:
    """An epoch's batches for one worker: its share, every n-th image, of each whole batch.

    Gives float images (m, channels, height, width) and labels (m,) on the device of `train`; `size`
    is that of whole batches. Order and augmentation follow from `seed` alone; the rest of the
    shuffle that fills no batch is left out.
    """
    device = train.index.device
    generator = torch.Generator().manual_seed(seed)
    count = len(train) // size * size
    height, width = train.images.pixels.shape[2:]
    order = torch.randperm(len(train), generator=generator)[:count]
    draws = draw(augmentation, count, height, width, generator)
    mine = torch.arange(count).view(-1, size)[:, rank::workers]
    taken = share(size, rank, workers)
    rows = mine.reshape(-1)
    index = train.index[_sent(order[rows], device)]
    draws = draws.rows(rows).map(lambda drawn: _sent(drawn, device))
    for chunk in _chunks(len(rows), taken, train.images.pixels[0].numel(), device):
        pixels = augment(train.images.pixels.index_select(0, index[chunk]), draws.rows(chunk))
        pixels = pixels.contiguous(memory_format=memory_format)
        images = cut_out(normalise(pixels), draws.rows(chunk))
        labels = train.images.labels.index_select(0, index[chunk])
        yield from zip(images.split(taken), labels.split(taken), strict=True)


def share(size: int, rank: int, workers: int) -> int:
    """How many images of each batch of `size` one worker takes; shares differ by one at most."""
    return len(range(rank, size, workers))


def cannot_share(design: Design, images: int, workers: int) -> str:
    """Why so many workers cannot share a design's batches of `images` images; empty if they can."""
    size = min(design.batch_size, images)
    least = size // workers
    if not least:
        return f"a batch of {size} cannot be shared by {workers} workers"
    if least == 1 and design.batch_norm and design.dense:
        return f"batch norm needs two images a worker, and {workers} share a batch of {size}"
    return ""


def _chunks(count: int, share: int, pixels: int, device: torch.device) -> Iterator[slice]:
    """Slices of whole shares that cover `count` images, each at most PREPARED_BYTES if it can
    be."""
    images = PREPARED_BYTES[device.type] // (pixels * torch.float32.itemsize)
    length = max(1, images // share) * share
    for start in range(0, count, length):
        yield slice(start, min(start + length, count))


def _sent(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on `device`; a copy to a GPU is asynchronous."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)

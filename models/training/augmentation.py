"""Augmentation (flip, crop, cutout) and normalisation of uint8 images, batch-wise on the device."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from models.design import Augmentation, Normalisation


@dataclass(frozen=True)
class Draws:
    """Random choices of an epoch's augmentation, a row an image; None for what is not used.

    Rows are in the order of training.
    """

    flip: Tensor | None = None
    """(n,) bool: mirror horizontally."""
    shift: Tensor | None = None
    """(n, 2) int64: top and left of the crop in the padded image."""
    hole: Tensor | None = None
    """(n, 2) int64: centre of the square that cutout blanks."""

    def map(self, change: Callable[[Tensor], Tensor]) -> "Draws":
        """The same draws, with `change` applied to each tensor."""
        drawn = (self.flip, self.shift, self.hole)
        return Draws(*(None if tensor is None else change(tensor) for tensor in drawn))

    def rows(self, rows: slice | Tensor) -> "Draws":
        """The draws of some images."""
        return self.map(lambda tensor: tensor[rows])


def draw(
    augmentation: Augmentation, count: int, height: int, width: int, generator: torch.Generator
) -> Draws:
    """Draws the choices for `count` images; crops shift by up to an eighth of the side."""
    if augmentation == "none":
        return Draws()
    flip = torch.rand(count, generator=generator) < 0.5
    if augmentation == "flip":
        return Draws(flip)
    shift = torch.stack(
        [
            torch.randint(0, 2 * _margin(side) + 1, (count,), generator=generator)
            for side in (height, width)
        ],
        dim=1,
    )
    if augmentation == "flip_crop":
        return Draws(flip, shift)
    hole = torch.stack(
        [torch.randint(0, side, (count,), generator=generator) for side in (height, width)], dim=1
    )
    return Draws(flip, shift, hole)


def augment(pixels: Tensor, draws: Draws) -> Tensor:
    """`pixels` (n, channels, height, width), flipped and cropped as drawn; any type.

    The crop is of the image padded with zeros. It and the flip are one gather.
    """
    if draws.flip is None:
        return pixels
    height, width = pixels.shape[2:]
    rows = torch.arange(height, device=pixels.device).expand(len(pixels), height)
    columns = torch.arange(width, device=pixels.device).expand(len(pixels), width)
    columns = torch.where(draws.flip[:, None], columns.flip(1), columns)
    if draws.shift is not None:
        top, left = _margin(height), _margin(width)
        pixels = pad(pixels, (left, left, top, top))
        rows = rows + draws.shift[:, :1]
        columns = columns + draws.shift[:, 1:]
    images = torch.arange(len(pixels), device=pixels.device)[:, None, None]
    # Indexing puts the channels last; permuting back keeps that order in memory.
    return pixels.permute(0, 2, 3, 1)[images, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


def cut_out(images: Tensor, draws: Draws) -> Tensor:
    """Cutout (DeVries & Taylor, arXiv 1708.04552), in place: blanks the drawn squares.

    They are half the side wide. Returns `images`.
    """
    if draws.hole is None:
        return images
    inside = []
    for axis, side in enumerate(images.shape[2:]):
        distance = torch.arange(side, device=images.device) - draws.hole[:, axis : axis + 1]
        inside.append((distance >= -(side // 4)) & (distance < side // 4))
    square = inside[0][:, :, None] & inside[1][:, None, :]
    return images.masked_fill_(square[:, None], 0.0)


class Normaliser:
    """Scales pixels to 0..1; with "standardise" to zero mean and unit deviation of each channel."""

    def __init__(
        self,
        normalisation: Normalisation,
        mean: tuple[float, ...],
        deviation: tuple[float, ...],
        device: torch.device,
    ) -> None:
        self._standardise = normalisation == "standardise"
        # A channel without any variation is left as it is.
        spread = torch.tensor([d or 1.0 for d in deviation])
        self._scale = (1 / (255 * spread)).view(1, -1, 1, 1).to(device)
        self._offset = (-torch.tensor(mean) / spread).view(1, -1, 1, 1).to(device)

    def __call__(self, pixels: Tensor) -> Tensor:
        """uint8 (n, channels, height, width) to float32 of the same shape and order in memory."""
        images = pixels.float()
        if not self._standardise:
            return images.mul_(1 / 255)
        # Spread out in the images' own order: broadcasting along channels is five times as slow.
        scale, offset = (
            torch.empty_like(images[:1]).copy_(values) for values in (self._scale, self._offset)
        )
        return images.mul_(scale).add_(offset)


def _margin(side: int) -> int:
    return max(1, side // 8)

"""Resizing of a folder's images: their common size, and letterboxing to it without cropping."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from models.data.images import DataError
from models.data.names import counted

Size = tuple[int, int]
"""Width and height, pixels."""

MOST_BYTES = 8 << 30
"""Most bytes of a folder's decoded images, which are held in memory; more are refused."""
NEARLY_ALL = 0.9
"""Share of images of one size from which on all are brought to that size."""
LARGEST_BY_ITSELF = 64
"""Largest side, pixels, chosen without --image-size for images of many sizes; larger ones take
long to train on."""
LARGE = 256
"""Side, pixels, above which a notice says that training takes long."""
_IN = "in proportion into"
_REST = "the rest filled with the colour of the border"


def choose(sizes: Sequence[Size], image_size: int | None) -> tuple[Size, list[str]]:
    """The size of all images, and notices; DataError where they would not fit into memory.

    The size that nearly all have, whatever it is; else a square, its side the median of the longer
    sides, so that most are neither enlarged nor made much smaller. `image_size` is the side where
    given.
    """
    wanted, notices = _wanted(sizes, image_size)
    width, height = wanted
    if len(sizes) * 3 * width * height > MOST_BYTES:
        side = int(math.sqrt(MOST_BYTES / 3 / len(sizes)))
        raise DataError(
            f"{len(sizes)} images of {width}x{height} take more than {MOST_BYTES >> 30} GiB in "
            f"memory: make them smaller with --image-size {max(1, min(LARGEST_BY_ITSELF, side))}"
        )
    if image_size is None and max(wanted) > LARGE:
        notices.append(
            f"images are as large as {width}x{height}, which takes long to train on: --image-size "
            f"{LARGEST_BY_ITSELF}, say, makes them smaller"
        )
    return wanted, notices


def _wanted(sizes: Sequence[Size], image_size: int | None) -> tuple[Size, list[str]]:
    if image_size is not None:
        long = sum(width != height for width, height in sizes)
        square = f"{image_size}x{image_size}"
        notices = [f"{counted(long, 'image is', 'images are')} not square: {_IN} {square}, {_REST}"]
        return (image_size, image_size), notices if long else []
    (common, count), *others = Counter(sizes).most_common()
    if not others:
        return common, []
    if count >= NEARLY_ALL * len(sizes):
        odd = counted(len(sizes) - count, "image has", "images have")
        size = f"{common[0]}x{common[1]}"
        return common, [
            f"{odd} another size than the other {count:,}: brought {_IN} {size}, {_REST} "
            "(--image-size N takes another side for all)"
        ]
    longer = sorted(max(size) for size in sizes)
    median = longer[len(longer) // 2]
    side = min(median, LARGEST_BY_ITSELF)
    change = counted(sum(size != (side, side) for size in sizes), "is", "are")
    why = f"the median of the longer sides is {median}"
    if side < median:
        why += f", {side} the largest side taken without --image-size"
    return (side, side), [
        f"images differ in size, {_extreme(sizes, min)} to {_extreme(sizes, max)}: {change} "
        f"brought {_IN} {side}x{side}, {_REST} ({why}; --image-size N takes another side)"
    ]


def _extreme(sizes: Sequence[Size], pick: Callable[..., Size]) -> str:
    """The smallest or largest of the sizes, by area, as text."""
    width, height = pick(sizes, key=lambda size: (size[0] * size[1], size))
    return f"{width}x{height}"


def within(size: Size, wanted: Size) -> Size:
    """The largest size within `wanted` that keeps the aspect ratio of `size`."""
    scale = min(wanted[0] / size[0], wanted[1] / size[1])
    return (
        min(wanted[0], max(1, round(size[0] * scale))),
        min(wanted[1], max(1, round(size[1] * scale))),
    )


def fit(image: Image.Image, wanted: Size) -> Image.Image:
    """Resizes an RGB `image` to `wanted` by letterboxing: aspect ratio kept, centred.

    The rest is filled with the median colour of its border, which for a scanned page is the page's.
    """
    if image.size == wanted:
        return image
    small = image.resize(within(image.size, wanted), Image.Resampling.BILINEAR)
    if small.size == wanted:
        return small
    filled = Image.new("RGB", wanted, _border_colour(small))
    filled.paste(small, ((wanted[0] - small.width) // 2, (wanted[1] - small.height) // 2))
    return filled


def _border_colour(image: Image.Image) -> tuple[int, int, int]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(value) for value in np.median(border, axis=0))
    return red, green, blue

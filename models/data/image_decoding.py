"""Decodes image files to RGB: upright, opaque, 8 bits a channel, one size."""

import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.data.folder_layout import Part
from models.data.image_folder import Files
from models.data.image_sizes import Size, choose, fit, within
from models.data.images import DataError
from models.data.names import counted

Alpha = Literal["white", "black"]
Pixels = dict[str, NDArray[np.uint8]]

THREADS = 4
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError),
    *(TypeError, IndexError, KeyError, AttributeError, RuntimeError, struct.error, zlib.error),
)
"""What Pillow raises for a file that is no image, or a damaged one."""
_ORIENTATION = 0x0112
"""EXIF's orientation tag: how the camera was held."""
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LIES = frozenset({5, 6, 7, 8})
"""Orientations that exchange width and height."""
_FRAMES = frozenset({"GIF", "TIFF", "WEBP", "PNG", "AVIF", "FLI", "DCX", "PSD"})
"""Formats whose further frames are content; a camera's (MPO) are previews."""
_INSIDE = (
    (0, b"version https://git-lfs", "it is a pointer of Git LFS: git lfs pull fetches the image"),
    (4, b"ftyphei", "it is HEIC, whatever its name: convert it to JPEG or PNG"),
    (4, b"ftypmif1", "it is HEIC, whatever its name: convert it to JPEG or PNG"),
    (128, b"DICM", "it is DICOM, whatever its name: export it as PNG"),
    (0, b"\x93NUMPY", "it is a NumPy array, whatever its name: save each image as PNG"),
)
"""Signatures (offset, first bytes) of files that are no readable image, and what to do."""


@dataclass(frozen=True)
class _Header:
    """Size and bit depth of an image, read before any is decoded."""

    size: Size
    """Width and height once upright."""
    highest: int = 0
    """Largest value of its pixels, where they have more than 8 bits; else 0."""
    several: bool = False
    """Whether it has more than one frame."""


def decode(
    parts: dict[Part, Files], size: int | None, alpha: Alpha = "white"
) -> tuple[Pixels, list[str], int]:
    """Decodes all images: pixels (n, 3, height, width) of each part, notices to the user, and the
    value that became white in images of more than 8 bits.

    `size` is the side of the square images where given, `alpha` the background of transparent
    pixels. DataError names a file that cannot be read.
    """
    every = [path for files in parts.values() for path, _ in files]
    pixels: Pixels = {}
    with _quiet(), ThreadPoolExecutor(THREADS) as pool:
        headers = list(pool.map(_header, every))
        wanted, notices = choose([header.size for header in headers], size)
        decoder = _Decoder(wanted, alpha, max(header.highest for header in headers))
        for part, files in parts.items():
            out = np.empty((len(files), 3, wanted[1], wanted[0]), np.uint8)
            for row, image in enumerate(pool.map(decoder.decode, (path for path, _ in files))):
                out[row] = image.pixels
                decoder.count(image)
            pixels[part] = out
    several = sum(header.several for header in headers)
    if several:
        notices.append(
            f"{counted(several, 'image has', 'images have')} several frames: the first is taken"
        )
    return pixels, [*notices, *decoder.notices()], decoder.white


def decode_files(
    paths: Sequence[Path], size: Size, alpha: Alpha = "white", white: int = 255
) -> NDArray[np.uint8]:
    """Pixels (n, 3, height, width) of image files, decoded as those of a data set were: brought to
    its `size`, laid on `alpha`, with its `white`. DataError names a file that cannot be read."""
    with _quiet(), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(_header, paths))
        decoder = _Decoder(size, alpha, white)
        return np.stack([image.pixels for image in pool.map(decoder.decode, paths)])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Pillow's warnings of odd but readable files, which print its own source lines."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _header(path: Path) -> _Header:
    with _named(path), Image.open(path) as image:
        lies = image.format != "TIFF" and _orientation(image) in _LIES  # TIFFs are upright by now
        several = image.format in _FRAMES and bool(getattr(image, "is_animated", False))
        size = (image.height, image.width) if lies else image.size
        return _Header(size, _highest(image), several)


def _highest(image: Image.Image) -> int:
    if image.mode == "F":
        raise ValueError("its values are floating point: save it with 8 or 16 bits a channel")
    if not image.mode.startswith("I"):
        return 0
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError("its values are not 0 to 65535: save it with 8 or 16 bits a channel")
    return max(1, int(values.max()))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # of a tag that is damaged; the image may be sound all the same
        return 1


@dataclass(frozen=True)
class _Decoded:
    pixels: NDArray[np.uint8]
    """(3, height, width)."""
    what: tuple[str, ...]
    """Conversions of the image: turned, deep, transparent, invisible."""


class _Decoder:
    """Decodes image files to one size, and counts the conversions made."""

    def __init__(self, wanted: Size, alpha: Alpha, highest: int) -> None:
        self._wanted, self._alpha = wanted, alpha
        self.white = (1 << max(8, highest.bit_length())) - 1
        """The value that becomes white where pixels have more than 8 bits: cameras give 10, 12
        or 16."""
        self._counts: Counter[str] = Counter()

    def decode(self, path: Path) -> _Decoded:
        with _named(path), Image.open(path) as image:
            done: list[str] = []
            if image.format in (
                "JPEG",
                "MPO",
            ):  # decodes no more than is needed of a large photograph
                lies = _orientation(image) in _LIES
                wanted = self._wanted[::-1] if lies else self._wanted
                width, height = within(image.size, wanted)
                image.draft(None, (2 * width, 2 * height))
            image.load()
            colours = self._opaque(image, done)
            turn = _UPRIGHT.get(_orientation(image))
            if turn is not None:
                colours = colours.transpose(turn)
                done.append("turned")
            fitted = fit(colours, self._wanted)
            return _Decoded(np.asarray(fitted).transpose(2, 0, 1), tuple(done))

    def count(self, image: _Decoded) -> None:
        self._counts.update(image.what)

    def notices(self) -> list[str]:
        """Notices of the conversions, with counts."""
        said = []
        if self._counts["turned"]:
            turned = counted(self._counts["turned"], "image is", "images are")
            said.append(f"{turned} turned upright, as EXIF says the camera was held")
        if self._counts["deep"]:
            deep = counted(self._counts["deep"], "image has", "images have")
            said.append(f"{deep} more than 8 bits a pixel: 0 to {self.white} is scaled to 0 to 255")
        if self._counts["transparent"]:
            clear = counted(self._counts["transparent"], "image is", "images are")
            line = f"{clear} transparent in part: laid on {self._alpha}"
            if self._counts["invisible"]:
                other = "black" if self._alpha == "white" else "white"
                blank = counted(self._counts["invisible"], "shows", "show")
                line += f", on which {blank} nothing at all: try --alpha {other}"
            said.append(line)
        return said

    def _opaque(self, image: Image.Image, done: list[str]) -> Image.Image:
        """The image in RGB, 8 bits a channel, transparency laid on the background."""
        if image.mode.startswith("I"):
            done.append("deep")
            stored = np.asarray(image)
            scaled = np.minimum(stored.astype(np.float32) * (255 / self.white), 255)
            grey = np.round(scaled).astype(np.uint8)
            clear = image.info.get("transparency")
            if isinstance(clear, int) and (stored == clear).any():
                done.append("transparent")
                grey[stored == clear] = 255 if self._alpha == "white" else 0
            return Image.fromarray(grey).convert("RGB")
        if not image.has_transparency_data:
            return image.convert("RGB")
        rgba = image.convert("RGBA")
        if rgba.getchannel("A").getextrema()[0] == 255:
            return rgba.convert("RGB")
        done.append("transparent")
        below = Image.new("RGBA", rgba.size, self._alpha)
        laid = Image.alpha_composite(below, rgba).convert("RGB")
        if len(laid.getcolors(1) or ()) == 1:
            done.append("invisible")
        return laid


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turns errors of reading an image into a DataError with its path and what to do."""
    try:
        yield
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise DataError(
            f"image {path} is too large to be decoded, more than {most / 1e6:.0f} million pixels: "
            "make it smaller, or cut it into pieces"
        ) from error
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"image {path} cannot be read ({_inside(path) or reason})") from error


def _inside(path: Path) -> str:
    """What a file really is, by its first bytes, and what to do; empty if that is not known."""
    try:
        with path.open("rb") as file:
            start = file.read(256)
    except OSError:
        return ""
    if not start:
        return "it is empty"
    found = (advice for at, sign, advice in _INSIDE if start[at:].startswith(sign))
    return next(found, "")

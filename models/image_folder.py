"""Decodes a folder of images, DIR/{train,test}/<class>/*, of any classes and formats."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.images import DataError

EXTENSIONS = frozenset(Image.registered_extensions())
MOST_BYTES = 8 << 30
"""Decoded images are held in memory; more than this is refused."""
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for a file that is no image, or a damaged one."""
LAYOUT = "expected DIR/train/<class>/* and DIR/test/<class>/*"

Files = list[tuple[Path, int]]
"""Each image's path and the number of its class."""


def list_files(folder: Path) -> tuple[tuple[str, ...], dict[str, Files]]:
    """Class names, and the files of `train` and `test`; DataError if the layout does not hold."""
    if not folder.is_dir():
        raise DataError(f"data folder {folder} does not exist: {LAYOUT}")
    if not any(folder.iterdir()):
        raise DataError(f"data folder {folder} is empty: {LAYOUT}")
    names = {part: _class_names(folder, part) for part in ("train", "test")}
    if len(names["train"]) < 2:
        raise DataError(
            f"{folder / 'train'} has one class only ({names['train'][0]}): at least two are needed"
        )
    differing = sorted(set(names["train"]) ^ set(names["test"]))
    if differing:
        raise DataError(f"class {differing[0]} stands in only one of train and test of {folder}")
    parts = {part: _part_files(folder / part, names["train"]) for part in names}
    return names["train"], parts


def _class_names(folder: Path, part: str) -> tuple[str, ...]:
    root = folder / part
    found = root.iterdir() if root.is_dir() else ()
    names = tuple(sorted(p.name for p in found if p.is_dir() and not p.name.startswith(".")))
    if not names:
        raise DataError(f"data folder {folder} has no {part} part with class folders: {LAYOUT}")
    return names


def _part_files(root: Path, names: tuple[str, ...]) -> Files:
    files: Files = []
    for label, name in enumerate(names):
        found = sorted(path for path in (root / name).rglob("*") if _is_image(path))
        if not found:
            raise DataError(f"class folder {root / name} has no image")
        files += [(path, label) for path in found]
    return files


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")  # what file managers leave behind
    return path.suffix.lower() in EXTENSIONS and not hidden and not path.is_dir()


def version(path: Path) -> tuple[int, int]:
    """Size (bytes) and time of change (ns) of an image's file; DataError if it is not there."""
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"image {path} cannot be read ({error.strerror})") from error
    return stat.st_size, stat.st_mtime_ns


def decode(
    parts: dict[str, Files], size: int | None
) -> tuple[dict[str, NDArray[np.uint8]], list[str]]:
    """Pixels (n, 3, height, width) of each part, and notices to the user.

    Images are resized to size x size where `size` is given, else all to the size that most of them
    have, with a notice where any differs. DataError names a file that cannot be read.
    """
    every = [path for files in parts.values() for path, _ in files]
    with ThreadPoolExecutor(max_workers=4) as pool:
        sizes = list(pool.map(_read_size, every))
    (wanted, most), *others = Counter(sizes).most_common()
    notices = []
    if size is not None:
        wanted = (size, size)
    elif others:
        notices.append(
            f"images differ in size: {len(every) - most} of {len(every)} are resized to the most "
            f"common, {wanted[0]}x{wanted[1]}"
        )
    if len(every) * 3 * wanted[0] * wanted[1] > MOST_BYTES:
        raise DataError(
            f"{len(every)} images of {wanted[0]}x{wanted[1]} take more than {MOST_BYTES >> 30} GiB "
            "in memory: make them smaller with --image-size N"
        )
    pixels = {}
    for part, files in parts.items():
        out = np.empty((len(files), 3, wanted[1], wanted[0]), np.uint8)
        with ThreadPoolExecutor(max_workers=4) as pool:
            for row, image in enumerate(pool.map(lambda f: _read(f[0], wanted), files)):
                out[row] = image
        pixels[part] = out
    return pixels, notices


def _read_size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            return image.size
    except UNREADABLE as error:
        raise DataError(f"image {path} cannot be read ({_first_line(error)})") from error


def _read(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"mode {image.mode}: convert it to 8 bits a channel")
            colours = image.convert("RGB")
            if colours.size != size:
                colours = colours.resize(size, Image.Resampling.BILINEAR)
            return np.asarray(colours).transpose(2, 0, 1)
    except UNREADABLE as error:
        raise DataError(f"image {path} cannot be read ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

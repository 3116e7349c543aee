"""Finds the image files of a class folder by their extensions, and counts what is skipped."""

import functools
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from models.data.names import counted, readable, some

_LEFT_BY_PROGRAMS = frozenset(
    {"__macosx", "__pycache__", "@eadir", "#recycle", "$recycle.bin", "lost+found"}
    | {"system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
)
"""Names that operating systems and programs leave behind, beside all that begin with a dot."""
_NO_PICTURES = frozenset({"BUFR", "GRIB", "HDF5", "MPEG", "WMF", "EPS"})
"""Formats that Pillow names but does not decode by itself."""
_ADVICE = (
    (".heic .heif .hif .jxl .jp2 .avif", "convert to JPEG or PNG"),
    (".cr2 .cr3 .nef .arw .dng .orf .rw2 .raf .raw", "develop to JPEG or PNG"),
    (".dcm .dicom .ima .nii .nii.gz .nrrd .mha .mhd", "export slices as PNG, 8 or 16 bits"),
    (".npy .npz .mat .h5 .hdf .hdf5 .pkl .parquet .tfrecord", "save each image as PNG"),
    (".svg .pdf .eps .ps .ai .wmf .emf", "render to PNG"),
    (".mp4 .mov .avi .mkv .webm .mpg .mpeg", "extract frames as PNG"),
    (".zip .tar .tgz .tar.gz .rar .7z", "unpack"),
)
_TO_DO = {suffix: advice for suffixes, advice in _ADVICE for suffix in suffixes.split()}


@dataclass
class Skipped:
    """Files and folders in class folders that are not read, counted by kind."""

    hidden: int = 0
    links: int = 0
    """Symbolic links that are broken, or lead back to a folder that was read already."""
    beside: int = 0
    """Files beside the class folders."""
    others: Counter[str] = field(default_factory=Counter)
    """Files by extension."""

    def __bool__(self) -> bool:
        return bool(self.hidden or self.links or self.beside or self.others)

    def __str__(self) -> str:
        """Counts by kind, with advice for image formats that are not read."""
        unread = sorted(suffix for suffix in self.others if suffix in _TO_DO)
        plain = sorted(suffix for suffix in self.others if suffix not in _TO_DO)
        kinds = []
        if self.hidden:
            kinds.append(counted(self.hidden, "hidden file or folder", "hidden files or folders"))
        if self.beside:
            kinds.append(counted(self.beside, "file", "files") + " beside the class folders")
        if plain:
            files = counted(self._sum(plain), "file that is no image", "files that are no images")
            kinds.append(f"{files} ({some(plain, 5)})")
        if self.links:
            kinds.append(
                counted(self.links, "link", "links") + " to nowhere or to a folder already read"
            )
        if unread:
            files = counted(self._sum(unread), "file of a format", "files of formats")
            advice = "; ".join(f"{suffix}: {_TO_DO[suffix]}" for suffix in unread)
            kinds.append(f"{files} not read ({advice})")
        return ", ".join(kinds)

    def add(self, other: "Skipped") -> None:
        """Adds the counts of `other`."""
        self.hidden += other.hidden
        self.links += other.links
        self.beside += other.beside
        self.others += other.others

    def _sum(self, suffixes: list[str]) -> int:
        return sum(self.others[suffix] for suffix in suffixes)


def is_hidden(name: str) -> bool:
    """Whether a name begins with a dot, or is one that programs leave behind."""
    return name.startswith(".") or name.casefold() in _LEFT_BY_PROGRAMS


def images_below(folder: Path) -> tuple[list[Path], Skipped]:
    """The image files in `folder` and its sub-folders, symbolic links followed, sorted; and what
    is skipped."""
    images: list[Path] = []
    skipped = Skipped()
    _walk(folder, images, skipped, set())
    return sorted(images), skipped


def _walk(folder: Path, images: list[Path], skipped: Skipped, seen: set[tuple[int, int]]) -> None:
    """Reads each real folder once: symbolic links may form a cycle."""
    stat = folder.stat()
    if (stat.st_dev, stat.st_ino) in seen:
        skipped.links += 1
        return
    seen.add((stat.st_dev, stat.st_ino))
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if is_hidden(entry.name):
            skipped.hidden += 1
        elif _is_folder(entry):
            _walk(Path(entry.path), images, skipped, seen)
        elif ending(entry.name) in _readable_endings() and _may_be_read(entry):
            images.append(Path(entry.path))
        elif entry.is_symlink() and not Path(entry.path).exists():
            skipped.links += 1
        else:
            skipped.others[ending(entry.name) or "no ending"] += 1


def ending(name: str) -> str:
    """The extension of a file name in lower case, such as ".png" or ".nii.gz"."""
    suffixes = [suffix.lower() for suffix in Path(readable(name)).suffixes[-2:]]
    if "".join(suffixes) in _TO_DO:
        return "".join(suffixes)
    return suffixes[-1] if suffixes else ""


@functools.cache
def _readable_endings() -> frozenset[str]:
    formats = Image.registered_extensions()
    return frozenset(
        {".mpo"} | {e for e, f in formats.items() if f in Image.OPEN and f not in _NO_PICTURES}
    )


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _may_be_read(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a file, or a broken link, whose reading fails with its path; no pipe or
    device."""
    try:
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return True

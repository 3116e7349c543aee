"""Content hash of an image folder, the key of its decoded cache; and duplicate images.

Sizes and times do not tell files apart: archives give all files one time, and folders of equal
files may change places. So the bytes are hashed. The hash is remembered for as long as each path
leads to the same file (inode), and none was changed (ctime, which no program can set back).
"""

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock

from models.data.folder_layout import Part
from models.data.image_folder import Listing
from models.data.images import DataError
from models.data.names import counted, readable

READERS = 4
"""Threads that hash files: more would wait for the same disk."""
UNSURE_SECONDS = 3
"""Seconds: a file changed more recently may be changed again without a change of its ctime."""
_LONG = 1 << 28
"""Bytes: reading more takes a while, and is announced."""


class Content:
    """The files of a listing as they are on this machine now, hashed when needed."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._rows = [
            (part, label, path) for part, files in listing.parts.items() for path, label in files
        ]
        self._digests: list[bytes] = []

    def key(self, memory: Path, say: Callable[[str], None]) -> str:
        """The folder's cache key, a SHA-256 of all paths below it, their classes and files' bytes.

        `memory` is a folder that keeps keys found before; `say` gets a line before anything slow.
        DataError where an image cannot be read.
        """
        stats = [_stat(path) for _, _, path in self._rows]
        state = hashlib.sha256(repr((self._listing.root, self._listing.classes)).encode())
        for (part, label, path), stat in zip(self._rows, stats, strict=True):
            facts = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            state.update(self._line(part, label, path, repr(facts).encode()))
        memory.mkdir(parents=True, exist_ok=True)
        found = memory / state.hexdigest()[:32]
        with FileLock(found.with_suffix(".lock")):
            if found.exists():
                return found.read_text()
            size = sum(stat.st_size for stat in stats)
            if size > _LONG:
                say(f"Reading {len(stats):,} images ({size / 1e9:.1f} GB) of {self.name}")
            began = time.time()
            key = self._hash()
            if max(stat.st_ctime for stat in stats) < began - UNSURE_SECONDS:
                scratch = found.with_suffix(".tmp")
                scratch.write_text(key)
                scratch.replace(found)
            return key

    @property
    def name(self) -> str:
        """The folder's name, printable."""
        return readable(self._listing.root.name)

    def copies(self) -> list[str]:
        """Notices of duplicate images, byte for byte: across parts, across classes, or within a
        class."""
        places = defaultdict(list)
        for row, digest in zip(self._rows, self._digested(), strict=True):
            places[digest].append(row)
        several = [rows for rows in places.values() if len(rows) > 1]
        return [*self._across(several), *self._of_two_classes(several), *self._within(several)]

    def _across(self, several: Sequence[list["Row"]]) -> list[str]:
        notices = []
        for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
            both = [r for r in several if {one, other} <= {part for part, _, _ in r}]
            if both:
                count = sum(1 for rows in both for part, _, _ in rows if part == other)
                first = [next(row for row in both[0] if row[0] == p) for p in (one, other)]
                stand = counted(count, f"image of {other} stands", f"images of {other} stand")
                notices.append(
                    f"{stand} in {one} too, byte for byte ({self._at(first[1])} is "
                    f"{self._at(first[0])}): the accuracy on {other} says too much"
                )
        return notices

    def _of_two_classes(self, several: Sequence[list["Row"]]) -> list[str]:
        mixed = [
            rows
            for rows in ([row for row in r if row[0] == "train"] for r in several)
            if len({label for _, label, _ in rows}) > 1
        ]
        if not mixed:
            return []
        first = mixed[0][0]
        other = next(row for row in mixed[0] if row[1] != first[1])
        stand = counted(len(mixed), "image of train stands", "images of train stand")
        return [
            f"{stand} in more than one class ({self._at(first)} is {self._at(other)}, byte for "
            "byte): take it out of all but one"
        ]

    def _within(self, several: Sequence[list["Row"]]) -> list[str]:
        """Duplicates within a class of train, which may be split between training and
        validation."""
        count, first = 0, ""
        for rows in several:
            seen: dict[int, Row] = {}
            for row in (row for row in rows if row[0] == "train"):
                if row[1] in seen:
                    count += 1
                    first = first or f"{self._at(row)} is {self._at(seen[row[1]])}"
                seen.setdefault(row[1], row)
        if not count:
            return []
        are = counted(count, "image of train is a copy", "images of train are copies")
        return [f"{are} of another of the same class, byte for byte ({first})"]

    def _at(self, row: "Row") -> str:
        return readable(str(row[2].relative_to(self._listing.root)))

    def _hash(self) -> str:
        content = hashlib.sha256("\n".join(self._listing.classes).encode())
        for row, digest in zip(self._rows, self._digested(), strict=True):
            content.update(self._line(*row, digest))
        return content.hexdigest()[:32]

    def _line(self, part: str, label: int, path: Path, facts: bytes) -> bytes:
        below = os.fsencode(path)[len(os.fsencode(self._listing.root)) :]
        return f"{part}\0{label}\0".encode() + below + b"\0" + facts + b"\n"

    def _digested(self) -> list[bytes]:
        if not self._digests:
            with ThreadPoolExecutor(READERS) as pool:
                self._digests = list(pool.map(_digest, (path for _, _, path in self._rows)))
        return self._digests


Row = tuple[Part, int, Path]
"""Part, number of the class, and path of an image."""


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise DataError(f"image {path} cannot be read ({error.strerror})") from error


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise DataError(f"image {path} cannot be read ({error.strerror})") from error

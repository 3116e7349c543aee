"""Storage backends for checkpoints and the copy of a run: a folder, or an object store (S3, GCS,
...) through pyarrow."""

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from models.durable import write_whole
from models.error_text import first_line

PROBE = "probe"
CHECKPOINTS = "checkpoints"
"""The folder of a store in which all checkpoints lie."""


class Store(Protocol):
    """A storage of files by name, such as checkpoints/3/epoch-0001.pt, with atomic writes.

    Methods raise OSError where the storage does not work.
    """

    def write(self, name: str, content: bytes) -> None:
        """Writes a file atomically; it is durable on return."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def names(self, folder: str) -> list[str]:
        """The files below a folder, however deep; none where there is no folder."""

    def delete(self, name: str) -> None:
        """Deletes a file, if it is there."""

    def delete_folder(self, folder: str) -> None:
        """Deletes a folder, if it is there, and what is in it."""


@dataclass(frozen=True)
class Folder:
    """A store in a folder: of this machine, or on a file system that all nodes share."""

    path: str

    def write(self, name: str, content: bytes) -> None:
        """Writes a file under a temporary name and renames it, so that no reader sees a part."""
        write_whole(Path(self.path) / name, content)

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return (Path(self.path) / name).read_bytes()

    def names(self, folder: str) -> list[str]:
        """The files below a folder, without those being written (hidden names)."""
        root = Path(self.path)
        found = (path for path in (root / folder).rglob("*") if path.is_file())
        return [str(path.relative_to(root)) for path in found if path.name[0] != "."]

    def delete(self, name: str) -> None:
        """Deletes a file, if it is there."""
        (Path(self.path) / name).unlink(missing_ok=True)

    def delete_folder(self, folder: str) -> None:
        """Deletes a folder, if it is there."""
        shutil.rmtree(Path(self.path) / folder, ignore_errors=True)

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Bucket:
    """A store below a URI that pyarrow opens, such as s3://bucket/path or gs://bucket/path."""

    uri: str

    def write(self, name: str, content: bytes) -> None:
        """Writes an object; object stores show one only when it is complete."""
        with _plain_errors():
            system, root = _open(self.uri)
            with system.open_output_stream(f"{root}/{name}") as stream:
                stream.write(content)

    def read(self, name: str) -> bytes:
        """The content of an object."""
        with _plain_errors():
            system, root = _open(self.uri)
            with system.open_input_stream(f"{root}/{name}") as stream:
                return bytes(stream.read())

    def names(self, folder: str) -> list[str]:
        """The objects below a folder."""
        with _plain_errors():
            from pyarrow.fs import FileSelector, FileType

            system, root = _open(self.uri)
            selector = FileSelector(
                f"{root}/{folder}".rstrip("/"), allow_not_found=True, recursive=True
            )
            found = (info for info in system.get_file_info(selector) if info.type == FileType.File)
            return [info.path.removeprefix(f"{root}/") for info in found]

    def delete(self, name: str) -> None:
        """Deletes an object, if it is there."""
        with contextlib.suppress(OSError), _plain_errors():
            system, root = _open(self.uri)
            system.delete_file(f"{root}/{name}")

    def delete_folder(self, folder: str) -> None:
        """Deletes the objects below a folder."""
        for name in self.names(folder):
            self.delete(name)

    def __str__(self) -> str:
        return self.uri


def open_store(text: str) -> Store:
    """The store of a URI or a folder's path; ValueError where pyarrow cannot open it."""
    if "://" not in text or text.startswith("file://"):
        return Folder(str(Path(text.removeprefix("file://")).resolve()))
    try:
        _open(text)
    except Exception as error:  # pyarrow has many kinds
        raise ValueError(f"--storage {text} cannot be opened: {first_line(error)}") from error
    return Bucket(text.rstrip("/"))


def below(store: Store, name: str) -> Store:
    """The store below the path `name` in another one."""
    if isinstance(store, Bucket):
        base, question, options = store.uri.partition("?")
        return Bucket(f"{base.rstrip('/')}/{name}{question}{options}")
    return Folder(str(Path(str(store)) / name))


def check_writable(store: Store, where: str) -> None:
    """Raises OSError, naming the machine `where`, unless a probe file can be written and read."""
    name = f".{PROBE}-{os.getpid()}-{where}"
    try:
        store.write(name, b"kneepoint")
        if store.read(name) != b"kneepoint":
            raise OSError("what was written cannot be read")
        store.delete(name)
    except OSError as error:
        reason = first_line(error)
        raise OSError(f"{store} cannot be written from {where}: {reason}") from error


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Turns pyarrow's own exceptions, some of them ValueErrors, into the OSErrors that callers
    catch."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {first_line(error)}") from error


@functools.lru_cache(maxsize=8)
def _open(uri: str) -> tuple[Any, str]:
    from pyarrow import fs

    system, root = fs.FileSystem.from_uri(uri)
    return system, root.rstrip("/")

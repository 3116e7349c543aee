"""Reads and writes checkpoints in a store, with patience, and tells apart why that fails."""

import contextlib
import errno
import pickle
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from models import checkpoint
from models.error_text import first_line
from models.training import memory
from search.storage.store import Folder, Store

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries: a shared disk or an object store may be away for a moment."""
MARKER = "run.json"
"""There in every run's store: where it cannot be seen, all of the store is gone."""
DAMAGED = (
    OSError,
    RuntimeError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""What torch and its formats raise for a file that is cut or is another's."""
_DEVICE = re.compile("CUDA|cuDNN|CUBLAS|NCCL|gloo", re.IGNORECASE)
"""In what devices, and workers that talk to one another, raise."""


class StorageError(Exception):
    """The store could not be read or written, however often that was tried."""

    def __init__(self, said: str, cause: OSError) -> None:
        super().__init__(said)
        self.cause = cause


class CheckpointError(Exception):
    """A checkpoint is gone or damaged, in a store that works."""


def read(store: Store, name: str) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; CheckpointError or StorageError."""
    try:
        packed = _patiently(lambda: _read(store, name))
    except OSError as error:
        raise StorageError(f"{store} cannot be read: {first_line(error)}", error) from error
    if packed is None:
        raise CheckpointError(f"checkpoint {name} is gone")
    with reading(name):
        return checkpoint.unpack(packed)


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """While what checkpoint `name` holds is taken in: a fault of it is a CheckpointError."""
    try:
        yield
    except DAMAGED as error:
        if memory.ran_out(error) or _DEVICE.search(str(error)):
            raise  # nothing that the file is to blame for
        raise CheckpointError(f"checkpoint {name} is damaged: {first_line(error)}") from error


def write(store: Store, name: str, content: dict[str, Any]) -> None:
    """Writes a checkpoint, durable afterwards; StorageError where that cannot be."""
    packed = checkpoint.pack(content)
    try:
        _patiently(lambda: _write(store, name, packed))
    except OSError as error:
        raise StorageError(f"{store} cannot be written: {first_line(error)}", error) from error


def _write(store: Store, name: str, packed: bytes) -> bool:
    # A folder would be made anew where a disk is not mounted any more.
    if isinstance(store, Folder) and not (Path(store.path) / MARKER).exists():
        raise OSError(errno.ENOENT, "it is gone")
    store.write(name, packed)
    return True


def _read(store: Store, name: str) -> bytes | None:
    """None where the file is not there, and the store is."""
    try:
        return store.read(name)
    except FileNotFoundError:
        store.read(MARKER)
        return None


def _patiently(act: Callable[[], T | None]) -> T | None:
    """What `act` gives, tried again after an OSError, or where it gives None: a file that another
    node has written may not be seen at once."""
    for seconds in WAITS:
        with contextlib.suppress(OSError):
            found = act()
            if found is not None:
                return found
        time.sleep(seconds)
    return act()

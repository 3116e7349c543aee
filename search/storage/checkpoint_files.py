"""Checkpoint I/O with retries: reads and writes checkpoints in a store, and tells a storage fault
(StorageError, as a full disk) from a missing or damaged file (CheckpointError)."""

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
"""Seconds between tries: a shared disk or an object store may be unavailable for a moment."""
MARKER = "run.json"
"""A file of every run's store: where it is missing, the whole store is (as an unmounted disk)."""
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
"""What torch and its file formats raise for a truncated or foreign file."""
_DEVICE = re.compile("CUDA|cuDNN|CUBLAS|NCCL|gloo", re.IGNORECASE)
"""Matches RuntimeErrors of devices and of collectives, for which the file is not to blame."""


class StorageError(Exception):
    """The store could not be read or written, after all retries; `cause` is the last OSError."""

    def __init__(self, said: str, cause: OSError) -> None:
        super().__init__(said)
        self.cause = cause


class CheckpointError(Exception):
    """A checkpoint is missing or damaged, in a store that works."""


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
    """While entered, an error that the content of checkpoint `name` causes is a CheckpointError."""
    try:
        yield
    except DAMAGED as error:
        if memory.ran_out(error) or _DEVICE.search(str(error)):
            raise  # the file is not to blame
        raise CheckpointError(f"checkpoint {name} is damaged: {first_line(error)}") from error


def write(store: Store, name: str, content: dict[str, Any]) -> None:
    """Writes a checkpoint, durable on return; StorageError where that fails."""
    packed = checkpoint.pack(content)
    try:
        _patiently(lambda: _write(store, name, packed))
    except OSError as error:
        raise StorageError(f"{store} cannot be written: {first_line(error)}", error) from error


def _write(store: Store, name: str, packed: bytes) -> bool:
    # The write would create the folder on the local disk where a disk is no longer mounted.
    if isinstance(store, Folder) and not (Path(store.path) / MARKER).exists():
        raise OSError(errno.ENOENT, "it is gone")
    store.write(name, packed)
    return True


def _read(store: Store, name: str) -> bytes | None:
    """The file's content; None where the file is missing in a store that can be read."""
    try:
        return store.read(name)
    except FileNotFoundError:
        store.read(MARKER)
        return None


def _patiently(act: Callable[[], T | None]) -> T | None:
    """The result of `act`, retried after an OSError or a None: a file that another node has written
    may not be visible at once."""
    for seconds in WAITS:
        with contextlib.suppress(OSError):
            found = act()
            if found is not None:
                return found
        time.sleep(seconds)
    return act()

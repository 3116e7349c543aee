"""Classifies a training's exceptions: the design's failure, a machine fault, or a fault of the run.

A design's failure (out of memory, which is told apart here, or divergence) is an observation of the
design. A machine fault says nothing about the design: the trial goes on in another lane. A fault of
the run (full disk, lost storage) ends the search, which can be resumed.
"""

import errno
from typing import Any, Literal

from models.error_text import first_line
from models.training import memory
from search.record.state import OUT_OF_MEMORY
from search.storage.checkpoint_files import CheckpointError, StorageError

FaultKind = Literal["design", "machine", "checkpoint", "storage", "run"]
"""machine: also every unforeseen exception. checkpoint: missing or damaged, the trial restarts from
its first epoch. storage: cannot be read or written; the head finds out whether that is a fault of
the node or of the run."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_NO_ROOM_SAID = ("no space left", "quota exceeded", "read-only file system")
"""The same in the messages of storages that set no errno."""
_RANK = ("run", "storage", "design", "checkpoint", "machine")
"""Precedence: of simultaneous failures of one trial's workers the first kind here is the cause."""


def describe(error: Exception) -> dict[str, Any]:
    """A worker's answer for `error`: `failure`, the reason in a line, and `kind`, a FaultKind."""
    kind = _kind(error)
    return {"failure": OUT_OF_MEMORY if kind == "design" else _reason(error), "kind": kind}


def cause(failures: list[dict[str, Any]]) -> dict[str, Any]:
    """The failure that caused the others, of one or more workers' `failures`."""
    return min(failures, key=lambda failure: _RANK.index(failure["kind"]))


def no_room(error: OSError) -> bool:
    """Whether `error` says that a disk or a quota is full, or a file system read-only."""
    text = str(error).lower()
    return error.errno in _NO_ROOM or any(words in text for words in _NO_ROOM_SAID)


def _kind(error: Exception) -> FaultKind:
    if isinstance(error, CheckpointError):
        return "checkpoint"
    if isinstance(error, StorageError):
        return "run" if no_room(error.cause) else "storage"
    return "design" if memory.ran_out(error) else "machine"


def _reason(error: Exception) -> str:
    text = first_line(error)
    named = isinstance(error, CheckpointError | StorageError)
    return (text if named else f"{type(error).__name__}: {text}")[:300]

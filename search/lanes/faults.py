"""Faults of a training in a lane: whose they are, told where they arise.

Three kinds. A design's own end (it ran out of memory, or diverged) is its result. A fault of the
machine, or of what runs on it, says nothing about the design: the trial goes on elsewhere. A fault
of the run (the disk is full, the storage is gone) ends the search, which can be resumed.
"""

import errno
from typing import Any, Literal

from models.error_text import first_line
from models.training import memory
from search.record.state import OUT_OF_MEMORY
from search.storage.checkpoint_files import CheckpointError, StorageError

FaultKind = Literal["design", "machine", "checkpoint", "storage", "run"]
"""Of a machine: also what nobody foresaw. A checkpoint that is gone or damaged: its trial begins
anew. Storage that does not work: whether it is the node or the run is for the head to find out."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_NO_ROOM_SAID = ("no space left", "quota exceeded", "read-only file system")
"""As storages say it that give no number."""
_RANK = ("run", "storage", "design", "checkpoint", "machine")
"""Of faults of one trial's workers at the same time, the first is the cause of the others."""


def describe(error: Exception) -> dict[str, Any]:
    """A worker's answer for `error`: `failure`, the reason in a line, and its `kind`."""
    kind = _kind(error)
    return {"failure": OUT_OF_MEMORY if kind == "design" else _reason(error), "kind": kind}


def cause(failures: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several workers' failures, what led to the others; there is at least one."""
    return min(failures, key=lambda failure: _RANK.index(failure["kind"]))


def no_room(error: OSError) -> bool:
    """Whether a disk or a quota is full, or must not be written."""
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

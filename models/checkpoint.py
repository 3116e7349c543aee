"""Checkpoints and weights on disk: whole or not there, and nothing in them that could run."""

import os
import tempfile
from pathlib import Path
from typing import Any

import torch


def save(content: dict[str, Any], path: Path) -> None:
    """Writes tensors and plain values; a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
        _sync_folder(path.parent)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """The new name is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Reads what `save` wrote, onto `device`; refuses anything but tensors and plain values."""
    return torch.load(path, map_location=device, weights_only=True)

"""Checkpoint files: tensors and plain values, written atomically, loaded with weights_only."""

import io
from pathlib import Path
from typing import Any

import torch

from models.durable import write_whole


def pack(content: dict[str, Any]) -> bytes:
    """Serialises tensors and plain values to the bytes of a checkpoint file."""
    packed = io.BytesIO()
    torch.save(content, packed)
    return packed.getvalue()


def unpack(packed: bytes, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Deserialises what `pack` gave, onto `device`; refuses anything but tensors and plain
    values."""
    return torch.load(io.BytesIO(packed), map_location=device, weights_only=True)


def save(content: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint atomically; a reader sees the old file or the new one, never a part."""
    write_whole(path, pack(content))


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Reads a checkpoint onto `device`; refuses anything but tensors and plain values."""
    return torch.load(path, map_location=device, weights_only=True)

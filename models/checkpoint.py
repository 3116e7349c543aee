"""Checkpoints and weights as files: whole or not there, and nothing in them that could run."""

import io
from pathlib import Path
from typing import Any

import torch

from models.durable import write_whole


def pack(content: dict[str, Any]) -> bytes:
    """Tensors and plain values as the content of a file."""
    packed = io.BytesIO()
    torch.save(content, packed)
    return packed.getvalue()


def unpack(packed: bytes, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What `pack` was given, onto `device`; refuses anything but tensors and plain values."""
    return torch.load(io.BytesIO(packed), map_location=device, weights_only=True)


def save(content: dict[str, Any], path: Path) -> None:
    """Writes tensors and plain values; a reader sees the old file or the new one, never a part."""
    write_whole(path, pack(content))


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Reads what `save` wrote, onto `device`; refuses anything but tensors and plain values."""
    return torch.load(path, map_location=device, weights_only=True)

"""Choice of the torch device, and the precision (dtype, memory format, CUDA graphs) used on it."""

import os
from dataclasses import dataclass
from typing import Literal

import torch

from models.quantities import count

DeviceChoice = Literal["auto", "cuda", "mps", "cpu"]
Dtype = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Precision:
    """Numerical precision and memory layout of a training."""

    dtype: Dtype
    channels_last: bool
    graphs: bool = False
    """Whether forward and backward pass are replayed as CUDA graphs."""

    def __str__(self) -> str:
        order = "channels_last" if self.channels_last else "contiguous"
        return f"{self.dtype} {order}{' graphs' if self.graphs else ''}"

    @property
    def memory_format(self) -> torch.memory_format:
        """The memory format as torch has it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


FIXED: dict[str, Precision] = {
    "fp32": Precision("fp32", channels_last=True),
    "bf16": Precision("bf16", channels_last=True),
}
"""Precision of each fixed choice of --precision; channels_last is the faster format more often."""


def choose_device(choice: DeviceChoice = "auto") -> torch.device:
    """The first accelerator of this process for "auto", else the one asked for.

    ValueError where the machine has none.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return torch.device(next((name for name, there in available.items() if there), "cpu"))
    if choice not in ("cpu", *available):
        raise ValueError(f"--device {choice}: one of auto, cuda, mps, cpu")
    if choice != "cpu" and not available[choice]:
        told = os.environ.get("CUDA_VISIBLE_DEVICES")
        hidden = "" if told is None or choice != "cuda" else f" (CUDA_VISIBLE_DEVICES={told!r})"
        raise ValueError(f"--device {choice}: torch finds no such device on this machine{hidden}")
    return torch.device(choice)


def describe(device: torch.device) -> str:
    """The device's name for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"mps": "Apple GPU (mps)", "cpu": f"CPU, {count(torch.get_num_threads(), 'thread')}"}[
        device.type
    ]


def synchronise(device: torch.device) -> None:
    """Waits until all work queued on the device is done, before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

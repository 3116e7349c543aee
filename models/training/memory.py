"""Memory of a training process: the most it took, and giving it back."""

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_SAID = ("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED")
"""By torch where it has no exception of its own for it: mps, the CPU, CUDA's libraries."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory, of the device or of the host."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(words in str(error) for words in _SAID)


def peak(device: torch.device) -> int:
    """The most bytes since `release`: on CUDA what was allocated there, else the resident set.

    Where the system cannot start the count anew (not Linux) it is the most of the whole process.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def release(device: torch.device) -> None:
    """Gives back what is not used any more, and starts the count of `peak` anew."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library that is not glibc
            ctypes.CDLL(None).malloc_trim(0)
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")

"""Memory of a training process: out-of-memory errors, peak usage, release of caches."""

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_SAID = ("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED")
"""Messages of torch's errors that have no exception class of their own: mps, the CPU, CUDA's
libraries."""


def ran_out(error: BaseException) -> bool:
    """Whether an exception is an out-of-memory error, of the device or of the host."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(words in str(error) for words in _SAID)


def peak(device: torch.device) -> int:
    """Peak memory in bytes since `release`: on CUDA allocated there, else the resident set size.

    Where the system cannot reset the peak (not Linux) it is that of the whole process.
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
    """Frees memory that is cached or unused, and resets the count of `peak`."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library that is not glibc
            ctypes.CDLL(None).malloc_trim(0)
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")

"""Runs replays in parallel in a pool of processes, one per core."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


def run_all(
    work: Callable[[Given], Found], todo: Sequence[Given], done: Callable[[], None]
) -> list[Found]:
    """Maps `work`, a module-level function, over `todo` in a process pool; results in order. `done`
    is called after each. Ctrl-C cancels all that is pending."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # One BLAS thread per process: more threads make operations on small matrices slower.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    found: dict[int, Found] = {}
    with ProcessPoolExecutor(cores or 1, mp_context=get_context("spawn")) as pool:
        pending = {pool.submit(work, each): number for number, each in enumerate(todo)}
        try:
            for future in as_completed(pending):
                found[pending[future]] = future.result()
                done()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[number] for number in range(len(todo))]

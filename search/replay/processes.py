"""Replays on all cores: each in a process of its own."""

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
    """What `work`, a function of a module, makes of each of `todo`, in their order; `done` hears of
    each that is ready. Ctrl-C ends all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # Of many threads each of a process's small matrices is slower, not faster.
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

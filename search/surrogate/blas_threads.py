"""Limits BLAS to one thread while the surrogate computes: its matrices are small."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy  # noqa: F401  loads the BLAS libraries that are limited, as scipy does
import scipy.linalg  # noqa: F401
from threadpoolctl import ThreadpoolController


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries of this process; cached, as looking for them takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limits BLAS to one thread within the context. Further threads gain nothing on a forecast's
    matrices, and busy-wait between calls, each on a core."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield

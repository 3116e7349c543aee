"""How many threads BLAS takes: one, for matrices that are small."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy  # noqa: F401  with scipy's, the libraries that are found
import scipy.linalg  # noqa: F401
from threadpoolctl import ThreadpoolController


@cache
def _libraries() -> ThreadpoolController:
    """Those of this process; to look for them takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it BLAS has one thread, and what it had again afterwards. Further threads gain nothing
    on a forecast's matrices, and wait for the next at full speed: a core each."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield

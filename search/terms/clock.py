"""A monotonic session clock: seconds since 1970, unaffected by corrections of the system time."""

import time
from collections.abc import Callable

Clock = Callable[[], float]


def steady() -> Clock:
    """A clock that starts at the current system time and advances monotonically."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()

"""The clock of a session: seconds since 1970 that no correction of the machine's clock can move."""

import time
from collections.abc import Callable

Clock = Callable[[], float]


def steady() -> Clock:
    """A clock that is right now and then goes on evenly."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()

"""Lengthens the poll interval of Ray Tune's controller, to save driver time with many lanes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.air.execution._internal.actor_manager import RayActorManager

HASTY_SECONDS = 0.1
"""Tune's own timeout for an event, which no setting changes."""
SECONDS = 0.5
"""The timeout instead: an event ends the wait, so that only a grown cluster, an exhausted budget or
Ctrl-C are noticed later."""


@contextmanager
def unhurried() -> Iterator[None]:
    """While entered, Tune's controllers wait longer for events: each poll costs the driver about a
    millisecond, and more with each lane, even if there is nothing to do."""
    hasty = RayActorManager.next

    def next_event(manager: RayActorManager, timeout: float | None = None) -> Any:
        return hasty(manager, timeout=SECONDS if timeout == HASTY_SECONDS else timeout)

    RayActorManager.next = next_event
    try:
        yield
    finally:
        RayActorManager.next = hasty

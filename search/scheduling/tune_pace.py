"""How often Ray Tune's controller looks for work that no event tells it of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.air.execution._internal.actor_manager import RayActorManager

HASTY_SECONDS = 0.1
"""What Tune's controller waits for an event at most; it has no setting."""
SECONDS = 0.5
"""What it shall wait: an event ends the wait, so that only a cluster that grew, a budget that is
used up or Ctrl-C are noticed later."""


@contextmanager
def unhurried() -> Iterator[None]:
    """Within it Tune's controllers wait longer for events: each look costs the driver about a
    millisecond, and more with each lane, whether or not there is anything to do."""
    hasty = RayActorManager.next

    def next_event(manager: RayActorManager, timeout: float | None = None) -> Any:
        return hasty(manager, timeout=SECONDS if timeout == HASTY_SECONDS else timeout)

    RayActorManager.next = next_event
    try:
        yield
    finally:
        RayActorManager.next = hasty

"""The queue of legs that wait for a free lane, first in, first out."""

from collections import deque

from search.lanes.leg import Leg


class WaitingLegs:
    """A FIFO queue of legs, from which a lane may skip those that just failed in it."""

    def __init__(self) -> None:
        self._legs: deque[Leg] = deque()
        self._failed_in: dict[int, str] = {}
        """By trial, the lane in which it had its last fault, or an empty string."""

    def __bool__(self) -> bool:
        return bool(self._legs)

    def add(self, leg: Leg, failed_in: str = "") -> None:
        """Queues a leg, of a trial that had a fault in the lane `failed_in`, if any."""
        self._legs.append(leg)
        self._failed_in[leg.trial] = failed_in

    def take(self, lane: str) -> Leg | None:
        """Removes and returns the leg that has waited longest and did not just fail in `lane`, None
        without any; an empty `lane` takes any leg."""
        for leg in self._legs:
            if not lane or self._failed_in[leg.trial] != lane:
                self._legs.remove(leg)
                return leg
        return None

    def clear(self) -> None:
        """Drops all waiting legs."""
        self._legs.clear()

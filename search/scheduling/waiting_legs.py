"""Legs that wait for a lane."""

from collections import deque

from search.lanes.leg import Leg


class WaitingLegs:
    """A queue of legs, in which a lane may leave out those that just failed in it."""

    def __init__(self) -> None:
        self._legs: deque[Leg] = deque()
        self._failed_in: dict[int, str] = {}
        """The lanes in which trials had their last fault."""

    def __bool__(self) -> bool:
        return bool(self._legs)

    def add(self, leg: Leg, failed_in: str = "") -> None:
        """A leg that waits, of a trial that had a fault in the lane `failed_in`, if any."""
        self._legs.append(leg)
        self._failed_in[leg.trial] = failed_in

    def take(self, lane: str) -> Leg | None:
        """The leg that has waited longest and did not fail in `lane`, if that is not empty."""
        for leg in self._legs:
            if not lane or self._failed_in[leg.trial] != lane:
                self._legs.remove(leg)
                return leg
        return None

    def clear(self) -> None:
        """None waits any more."""
        self._legs.clear()

"""Lanes that are blacklisted after repeated machine faults, and get no more trials."""

from collections.abc import Callable


class ClosedLanes:
    """Closed lanes: those with repeated machine faults, which keep their resources, so that no new
    lane is placed there; and those that never start."""

    def __init__(self, warn: Callable[[str], None], has_left: Callable[[str], bool]) -> None:
        """`warn` gets a line for each closed lane; `has_left` tells whether the node of a lane's
        place has left the cluster."""
        self._warn, self._has_left = warn, has_left
        self._places: dict[str, str] = {}
        self._unstarted = 0

    def add(self, lane: str, place: str, reason: str) -> None:
        """Closes a lane after repeated faults, the last for this `reason`."""
        self._places[lane] = place
        self._warn(f"A lane on {place} fails again and again, and is closed: {reason}")

    def add_unstarted(self, reason: str) -> None:
        """Counts a lane that does not start, while others work."""
        self._unstarted += 1
        self._warn(f"A lane never starts: {reason}")

    def __contains__(self, lane: str) -> bool:
        return lane in self._places

    def __len__(self) -> int:
        there = {n: place for n, place in self._places.items() if not self._has_left(place)}
        self._places = there
        return len(there) + self._unstarted

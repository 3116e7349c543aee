"""Lanes that no trial is given to any more."""

from collections.abc import Callable


class ClosedLanes:
    """Lanes whose machine failed again and again, which keep their places, so that no other lane
    gets them; and lanes that never start."""

    def __init__(self, warn: Callable[[str], None], has_left: Callable[[str], bool]) -> None:
        """`warn` gets a line for each; `has_left` tells whether a lane's place is there no more."""
        self._warn, self._has_left = warn, has_left
        self._places: dict[str, str] = {}
        self._unstarted = 0

    def add(self, lane: str, place: str, reason: str) -> None:
        """A lane failed again and again, the last time for this `reason`."""
        self._places[lane] = place
        self._warn(f"A lane on {place} fails again and again, and is closed: {reason}")

    def add_unstarted(self, reason: str) -> None:
        """A lane does not come up, while others work."""
        self._unstarted += 1
        self._warn(f"A lane never starts: {reason}")

    def __contains__(self, lane: str) -> bool:
        return lane in self._places

    def __len__(self) -> int:
        there = {n: place for n, place in self._places.items() if not self._has_left(place)}
        self._places = there
        return len(there) + self._unstarted

"""Counts the lanes that fit on the cluster now, as an autoscaler adds and removes nodes."""

import time

from search.cluster import ray_connection
from search.terms.plan import Plan, count_lanes

LOOK_SECONDS = 2
"""The shortest interval between queries of the cluster."""


class LaneCount:
    """A callable that returns how many lanes there can be now."""

    def __init__(self, plan: Plan, parallel: int | None, *, fixed: bool = False) -> None:
        """With `fixed` the count is the plan's, whatever nodes there are."""
        self._plan, self._parallel, self._fixed = plan, parallel, fixed
        self._lanes, self._looked = plan.lanes, time.monotonic()

    def __call__(self) -> int:
        now = time.monotonic()
        if not self._fixed and now - self._looked > LOOK_SECONDS:
            self._lanes = count_lanes(
                self._plan,
                ray_connection.node_resources(),
                ray_connection.growable_nodes(),
                self._parallel,
            )
            self._looked = now
        return self._lanes

    def has_left(self, place: str) -> bool:
        """Whether a lane's node has left the cluster; `place` is as search/lanes/worker.py gives
        it: the node's address and the device."""
        return bool(place) and place.partition(",")[0] not in ray_connection.node_addresses()

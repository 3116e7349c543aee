"""How many lanes the cluster holds, as nodes come and go."""

import time

from search.cluster import ray_connection
from search.terms.plan import Plan, count_lanes

LOOK_SECONDS = 2
"""How often at most the cluster is asked."""


class LaneCount:
    """Called, tells how many lanes there can be now."""

    def __init__(self, plan: Plan, parallel: int | None, *, fixed: bool = False) -> None:
        """With `fixed` the plan's lanes, whatever nodes there are."""
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
        """Whether a lane's node is there no more; `place` is as search/lanes/worker.py names it."""
        return bool(place) and place.partition(",")[0] not in ray_connection.node_addresses()

"""Names the Ray placement groups of lanes, and removes those that dead lanes left behind.

A placement group outlives the process that made it, until the whole search ends: the resources of a
killed lane have to be released by another process.
"""

from typing import Any

import ray
from ray._private import state as ray_state
from ray.util.placement_group import PlacementGroup, placement_group_table, remove_placement_group

PREFIX = "kneepoint-lane"


def name_of_place(actor: str | None, number: str) -> str:
    """The name of a lane's placement group: `actor` is the id of the lane's Ray actor."""
    return f"{PREFIX} {actor} {number}"


def give_back_of_dead_lanes() -> int:
    """Removes the placement groups of lanes whose actor is dead; returns how many."""
    if not ray.is_initialized():  # the query below would start a cluster
        return 0
    given_back = 0
    for place in placement_group_table().values():
        if place["state"] != "REMOVED" and _is_of_dead_lane(place["name"]):
            remove_placement_group(
                PlacementGroup(ray.PlacementGroupID.from_hex(place["placement_group_id"]))
            )
            given_back += 1
    return given_back


def _is_of_dead_lane(name: str) -> bool:
    prefix, _, rest = name.partition(" ")
    if prefix != PREFIX:
        return False
    actor: dict[str, Any] = ray_state.actors(rest.partition(" ")[0])
    return actor.get("State", "DEAD") == "DEAD"

"""The time that a budget leaves for a lane at a decision, and its fields in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TimeLeft:
    """The time that the budget leaves for one lane when a decision is made, worker-seconds."""

    seconds: float
    """From now to the end of the budget."""
    total: float
    """Of the whole budget."""
    lanes: int = 1
    """The number of lanes that train beside one another."""


def fields_of(left: TimeLeft | None) -> dict[str, float]:
    """The fields of a decision line in the ledger; none without a limit of time."""
    if left is None:
        return {}
    return {"left_seconds": left.seconds, "budget_seconds": left.total, "lanes": left.lanes}


def of_fields(line: Mapping[str, Any]) -> TimeLeft | None:
    """The time left that a decision line records: the inverse of `fields_of`."""
    if "left_seconds" not in line:
        return None
    return TimeLeft(line["left_seconds"], line["budget_seconds"], line["lanes"])

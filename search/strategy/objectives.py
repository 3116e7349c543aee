"""The objectives of a search (--objectives): accuracy, and optionally training cost, parameters,
FLOPs or latency."""

from typing import Literal

from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D

Objective = Literal["accuracy", "cost", "parameters", "flops", "latency"]


def second_objective(seen: ObservedTrial[D], epoch: int, name: str) -> float:
    """A trial's value of the second objective, greater than 0: for cost the worker-seconds of
    training up to `epoch`, else the measured value."""
    if name == "cost":
        return max(seen.seconds * epoch / max(seen.last_epoch, 1), 1e-9)
    return max(seen.measure or 0.0, 1e-12)

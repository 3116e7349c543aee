"""The objectives of a search (--objectives): accuracy, and optionally training cost, parameters,
FLOPs or latency."""

from typing import Literal

from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D

Objective = Literal["accuracy", "cost", "parameters", "flops", "latency"]
SECOND = ("cost", "parameters", "flops", "latency")
OR_ONE = "one of cost, parameters, flops, latency, as accuracy,cost"


def second_of(objectives: str) -> str:
    """The objective beside accuracy in a text such as "accuracy,cost"; ValueError for others."""
    names = objectives.split(",")
    if names == ["accuracy"]:
        return ""
    if len(names) != 2 or names[0] != "accuracy" or names[1] not in SECOND:
        raise ValueError(f"--objectives {objectives}: accuracy, or accuracy and {OR_ONE}")
    return names[1]


def second_objective(seen: ObservedTrial[D], epoch: int, name: str) -> float:
    """A trial's value of the second objective, greater than 0: for cost the worker-seconds of
    training up to `epoch`, else the measured value."""
    if name == "cost":
        return max(seen.seconds * epoch / max(seen.last_epoch, 1), 1e-9)
    return max(seen.measure or 0.0, 1e-12)

"""What a search is for: accuracy, and with it cost or size."""

from typing import Literal

from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D

Objective = Literal["accuracy", "cost", "parameters", "flops", "latency"]


def second_objective(seen: ObservedTrial[D], epoch: int, name: str) -> float:
    """What a trial has of the objective beside accuracy: seconds of training up to `epoch` for
    cost, else what was measured."""
    if name == "cost":
        return max(seen.seconds * epoch / max(seen.last_epoch, 1), 1e-9)
    return max(seen.measure or 0.0, 1e-12)

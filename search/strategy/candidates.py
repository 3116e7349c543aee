"""Candidates of the acquisition function: paused trials or new designs, as arrays."""

from dataclasses import dataclass
from typing import Generic

import numpy as np

from models.rungs import rungs_of
from search.surrogate.curve_kernel import Array
from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D


@dataclass(frozen=True)
class Candidates(Generic[D]):
    """The n candidates among which the acquisition function is maximised: paused trials or new
    designs."""

    designs: list[D]
    trials: list[ObservedTrial[D]]
    """The paused trials, which belong to the first of `designs`."""
    done: Array
    """Epochs trained so far (n,)."""
    ends: Array
    """Last epochs (n,)."""
    horizons: Array
    """Epochs (n,) at which they are compared: their last ones, or those that the budget allows."""
    places: Array
    """Feature vectors (n, d)."""
    rates: Array
    """Worker-seconds of training per epoch (n,)."""

    def rungs(self, index: int) -> list[int]:
        """The rungs that a candidate has yet to reach, its last epoch among them."""
        return [rung for rung in rungs_of(int(self.ends[index])) if rung > self.done[index]]

    def legs(self) -> Array:
        """Worker-seconds (n,) to each candidate's next rung."""
        epochs = [self.rungs(index)[0] - self.done[index] for index in range(len(self.designs))]
        return self.rates * np.array(epochs)

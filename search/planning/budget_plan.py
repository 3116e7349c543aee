"""Divides the time that a budget leaves for a lane into exploration and a finale.

Exploration trains many designs to their first rungs. The finale trains the most promising ones
once more, in one learning-rate cycle that is as long as the time that is left. Pure arithmetic on
worker-seconds.
"""

from dataclasses import dataclass

import numpy as np

from search.surrogate.curve_kernel import Array
from search.terms.time_left import TimeLeft

FINALE = 0.65
"""The part of a budget that is kept for the finale."""
LOOKS = 0.6
"""The part of the exploration that goes to first rungs."""
DESIGNS, DESIGNS_OF_A_LANE = 30, 5
"""The number of designs that a search is to see, and of each lane where there are many."""
LEAST_EPOCHS = 8
"""A design is begun only if the finale could train it for so many epochs."""
LEAST_KNOWN_EPOCHS = 6
"""The same for designs that are known to be good."""
MARGIN = 0.05
"""The part by which an epoch may take longer than was predicted."""


@dataclass(frozen=True)
class BudgetPlan:
    """What the time of one lane is used for."""

    left: TimeLeft

    @property
    def finale(self) -> float:
        """Worker-seconds kept for the finale."""
        return FINALE * self.left.total

    @property
    def look(self) -> float:
        """Worker-seconds of a first rung by which all lanes see DESIGNS designs."""
        explored = (1 - FINALE) * self.left.total * self.left.lanes
        return LOOKS * explored / max(DESIGNS, DESIGNS_OF_A_LANE * self.left.lanes)

    def may_begin(self, epoch: float, *, known: bool) -> bool:
        """Whether a design whose epochs take so many seconds could be trained for long enough."""
        return epoch * (LEAST_KNOWN_EPOCHS if known else LEAST_EPOCHS) <= self.finale

    def horizon(self, epoch: Array, most: Array) -> Array:
        """Epochs, at most `most`, that a finale of full length trains of designs whose epochs take
        so many seconds (n,)."""
        return _epochs(self.finale, epoch, most)

    def longest(self, epoch: Array, most: Array) -> Array:
        """The same for a finale that begins now."""
        return _epochs(self.left.seconds, epoch, most)

    def spare(self, need: float) -> float:
        """Seconds that exploration may still use where the finale needs `need`."""
        return self.left.seconds - min(self.finale, need)


def _epochs(seconds: float, epoch: Array, most: Array) -> Array:
    fitting = np.floor(seconds * (1 - MARGIN) / np.maximum(epoch, 1e-9))
    return np.minimum(fitting, most)

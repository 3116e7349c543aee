"""The cost model: predicts the seconds of an epoch from the work that it has to do.

An epoch of n kinds of work takes w_1 u_1 + ... + w_n u_n seconds, with weights w >= 0 fitted to
what the run has measured: least squares of relative errors, drawn a little to equal parts of all
kinds, which decides while fewer designs were measured than there are kinds.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from search.surrogate.curve_kernel import Array
from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D, Space

DRAWN = 0.03
"""The weight of the term that draws the kinds of work to equal parts, beside one measurement."""


class CostModel:
    """The fitted weights (n,) of the kinds of work."""

    def __init__(self, work: Array, seconds: Array) -> None:
        """Measured seconds (m,) of epochs with work (m, n); at least one."""
        relative = work / seconds[:, None]
        scale = np.maximum(relative.mean(0), 1e-300)
        kinds = work.shape[1]
        rows = np.concatenate([relative / scale, np.sqrt(DRAWN) * np.eye(kinds)])
        wanted = np.concatenate([np.ones(len(seconds)), np.full(kinds, np.sqrt(DRAWN) / kinds)])
        self._weights: Array = nnls(rows, wanted)[0] / scale

    def predict(self, work: Array) -> Array:
        """Seconds (m,) of epochs with work (m, n)."""
        seconds: Array = work @ self._weights
        return seconds


def fitted(space: Space[D], timed: Sequence[ObservedTrial[D]]) -> CostModel | None:
    """The model of seconds of training per epoch from trials that were timed; None without any, or
    where the space does not know of work."""
    if not timed:
        return None
    work = np.array([space.work(each.design) for each in timed])
    if not work.shape[1]:
        return None
    return CostModel(work, np.array([each.seconds / each.last_epoch for each in timed]))

"""Accuracies as standard normal scores, and back."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Array = NDArray[np.float64]

QUANTILES = norm.ppf((np.arange(32) + 0.5) / 32)
UPPER = 0.75
"""Beyond the best that was seen, accuracy goes on as it rose from this quantile to it."""


class Warp:
    """Gives each accuracy the normal score of its rank, so that a model neither minds the scale of
    the accuracies nor those of designs that learn nothing."""

    def __init__(self, accuracies: Array) -> None:
        self.scores: Array = norm.ppf((rankdata(accuracies) - 0.5) / len(accuracies))
        order = np.argsort(accuracies, kind="stable")
        self._scores, self._accuracies = self.scores[order], accuracies[order]
        self.top = float(self._scores[-1])
        base = int(UPPER * (len(order) - 1))
        rise = self._accuracies[-1] - self._accuracies[base]
        self._slope = rise / max(self.top - self._scores[base], 1e-9)

    def accuracy(self, scores: Array) -> Array:
        """The accuracies that have these scores, at most 1."""
        inside = np.interp(scores, self._scores, self._accuracies)
        beyond = np.maximum(scores - self.top, 0) * self._slope
        return np.minimum(inside + beyond, max(1.0, self._accuracies[-1]))

    def expected_gain(self, mean: float, deviation: float) -> float:
        """By how much accuracy is expected to surpass the best, of a score that is normal."""
        sampled = self.accuracy(mean + deviation * QUANTILES)
        return float(np.maximum(sampled - self._accuracies[-1], 0).mean())

"""Output warping: accuracies to standard normal scores by rank, and back."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Array = NDArray[np.float64]

QUANTILES = norm.ppf((np.arange(32) + 0.5) / 32)
"""Nodes with equal weights to integrate over a standard normal distribution."""
UPPER = 0.75
"""Above the highest observed score, accuracy is extrapolated with the slope between this quantile
and it."""


class OutputWarping:
    """Maps each accuracy to the normal score of its rank, so that the surrogate is insensitive to
    the accuracies' scale and to outliers of designs that learn nothing."""

    def __init__(self, accuracies: Array, results: Sequence[bool] | None = None) -> None:
        """`results` tells which of the accuracies (n,) are results; without it all are.

        The best result is the incumbent. While there is none, the incumbent has accuracy 0, which
        every result surpasses, and the lowest observed score.
        """
        self.scores: Array = norm.ppf((rankdata(accuracies) - 0.5) / len(accuracies))
        order = np.argsort(accuracies, kind="stable")
        self._scores, self._accuracies = self.scores[order], accuracies[order]
        own = np.ones(len(order), bool) if results is None else np.array(results, bool)
        self.best = float(accuracies[own].max(initial=0.0))
        """The incumbent's accuracy, 0..1."""
        self.top = float(self.scores[own].max(initial=self._scores[0]))
        """The incumbent's score."""
        base = int(UPPER * (len(order) - 1))
        rise = self._accuracies[-1] - self._accuracies[base]
        self._slope = rise / max(self._scores[-1] - self._scores[base], 1e-9)

    def accuracy(self, scores: Array) -> Array:
        """The inverse map: the accuracies of scores, at most 1."""
        inside = np.interp(scores, self._scores, self._accuracies)
        beyond = np.maximum(scores - self._scores[-1], 0) * self._slope
        return np.minimum(inside + beyond, max(1.0, self._accuracies[-1]))

    def expected_gain(self, mean: float, deviation: float) -> float:
        """The expected improvement of accuracy (0..1) over the incumbent, for a normally
        distributed score: by quadrature, as the warping is not linear."""
        sampled = self.accuracy(mean + deviation * QUANTILES)
        return float(np.maximum(sampled - self.best, 0).mean())

"""Accuracies as standard normal scores, and back."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Array = NDArray[np.float64]

QUANTILES = norm.ppf((np.arange(32) + 0.5) / 32)
UPPER = 0.75
"""Beyond the highest that was seen, accuracy goes on as it rose from this quantile to it."""


class OutputWarping:
    """Gives each accuracy the normal score of its rank, so that a model neither minds the scale of
    the accuracies nor those of designs that learn nothing."""

    def __init__(self, accuracies: Array, results: Sequence[bool] | None = None) -> None:
        """`results` tells which of the accuracies are results; without it all are.

        The best of those is what is to be surpassed. While there is none it is accuracy 0, which
        all that comes to a result surpasses, with the lowest score that was seen.
        """
        self.scores: Array = norm.ppf((rankdata(accuracies) - 0.5) / len(accuracies))
        order = np.argsort(accuracies, kind="stable")
        self._scores, self._accuracies = self.scores[order], accuracies[order]
        own = np.ones(len(order), bool) if results is None else np.array(results, bool)
        self.best = float(accuracies[own].max(initial=0.0))
        """The best result's accuracy."""
        self.top = float(self.scores[own].max(initial=self._scores[0]))
        """Its score."""
        base = int(UPPER * (len(order) - 1))
        rise = self._accuracies[-1] - self._accuracies[base]
        self._slope = rise / max(self._scores[-1] - self._scores[base], 1e-9)

    def accuracy(self, scores: Array) -> Array:
        """The accuracies that have these scores, at most 1."""
        inside = np.interp(scores, self._scores, self._accuracies)
        beyond = np.maximum(scores - self._scores[-1], 0) * self._slope
        return np.minimum(inside + beyond, max(1.0, self._accuracies[-1]))

    def expected_gain(self, mean: float, deviation: float) -> float:
        """By how much accuracy is expected to surpass the best result, of a score that is
        normal."""
        sampled = self.accuracy(mean + deviation * QUANTILES)
        return float(np.maximum(sampled - self.best, 0).mean())

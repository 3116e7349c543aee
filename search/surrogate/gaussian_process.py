"""Gaussian process regression over learning curves: the posterior of a design's score at an epoch.

The kernel is that of search/surrogate/curve_kernel.py, the algebra that of Rasmussen and Williams,
Gaussian Processes for Machine Learning, algorithm 2.1.
"""

import numpy as np
from scipy.linalg import cho_solve, lapack, solve_triangular

from search.surrogate.curve_kernel import Array, Hyperparameters, Kernel


class Covariance:
    """The covariance of the observed points with its Cholesky factor, independent of the observed
    values."""

    def __init__(self, kernel: Kernel, scaled: Array, times: Array, factor: Array) -> None:
        """Designs (n, d), divided by the length scales, at times (n,), and the lower Cholesky
        factor (n, n) of their covariance with noise."""
        self.kernel, self._scaled, self._times, self._factor = kernel, scaled, times, factor

    @classmethod
    def of(cls, hyperparameters: Hyperparameters, designs: Array, times: Array) -> "Covariance":
        """Factorises the covariance of designs (n, d) at times (n,), in O(n^3)."""
        kernel = Kernel(hyperparameters)
        scaled = kernel.scaled(designs)
        own = kernel.between(scaled, times, scaled, times)
        return cls(kernel, scaled, times, _factor(own, kernel.noise))

    def __len__(self) -> int:
        return len(self._times)

    def extended(self, scaled: Array, times: Array) -> "Covariance":
        """The covariance with further scaled designs (m, d) at times (m,), by extending the
        factor: O(n^2 m) instead of O(n^3)."""
        known = len(self)
        own = self.kernel.between(scaled, times, scaled, times)
        rows = self.solve(self.cross(scaled, times))
        factor = np.zeros((known + len(times),) * 2, order="F")
        factor[:known, :known] = self._factor
        factor[known:, :known] = rows.T
        factor[known:, known:] = _factor(own - rows.T @ rows, self.kernel.noise)
        return Covariance(
            self.kernel,
            np.concatenate([self._scaled, scaled]),
            np.concatenate([self._times, times]),
            factor,
        )

    def cross(self, scaled: Array, times: Array) -> Array:
        """Covariances (m, n) of further points with the observed ones."""
        return self.kernel.between(scaled, times, self._scaled, self._times)

    @property
    def last_row(self) -> Array:
        """The last row (n,) of the Cholesky factor."""
        row: Array = self._factor[-1]
        return row

    def solve(self, cross: Array) -> Array:
        """The inverse of the factor times the transpose of covariances (m, n): (n, m)."""
        solved: Array = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        return solved

    def weights(self, values: Array) -> Array:
        """The inverse of the covariance times the observed values (n,): (n,)."""
        solved: Array = cho_solve((self._factor, True), values, check_finite=False)
        return solved


def _factor(covariance: Array, noise: float) -> Array:
    """The lower Cholesky factor with noise added; LinAlgError if not positive definite."""
    covariance[np.diag_indices_from(covariance)] += noise
    factor, failed = lapack.dpotrf(covariance, lower=True)
    if failed:
        raise np.linalg.LinAlgError("a covariance is not positive definite")
    return np.asarray(factor)


class GaussianProcess:
    """A Gaussian process conditioned on observations."""

    def __init__(self, covariance: Covariance, values: Array) -> None:
        """Observed values (n,), one for each point of the covariance."""
        self.covariance, self._weights = covariance, covariance.weights(values)

    def expected(self, designs: Array, times: Array) -> Array:
        """The posterior means (m,) for designs (m, d) at times (m,)."""
        scaled = self.covariance.kernel.scaled(designs)
        return self.covariance.cross(scaled, times) @ self._weights

    def predict(self, designs: Array, times: Array) -> "Posterior":
        """The posterior for designs (m, d) at times (m,)."""
        scaled = self.covariance.kernel.scaled(designs)
        cross = self.covariance.cross(scaled, times)
        return Posterior(self.covariance, scaled, times, cross @ self._weights, cross)


class Posterior:
    """The posterior mean and standard deviation of points, with fantasies for batch selection.

    A believed point counts as observed at its posterior mean: the means stay as they are, and the
    deviations of similar points shrink (the kriging believer of Ginsbourger et al. 2010). Each adds
    a row to the Cholesky factor.
    """

    def __init__(
        self, known: Covariance, scaled: Array, times: Array, mean: Array, cross: Array
    ) -> None:
        """Points (m, d), divided by the length scales, at times (m,); their means (m,), and their
        covariances (m, n) with the observed points."""
        self.mean = mean
        self._known, self._scaled, self._times = known, scaled, times
        self._rows = known.solve(cross)
        self._variance = known.kernel.prior - (self._rows**2).sum(0)

    @property
    def deviation(self) -> Array:
        """Standard deviations (m,), without the observation noise."""
        return np.sqrt(np.maximum(self._variance, 1e-9))

    def believe(self, index: int, at: Array) -> None:
        """Conditions on a fantasy: the design of the point at `index`, at time `at` (1,), counts
        as observed at its mean."""
        design = self._scaled[[index]]
        self._known = self._known.extended(design, at)
        cross = self._known.kernel.between(self._scaled, self._times, design, at)[:, 0]
        row = self._known.last_row
        added = (cross - row[:-1] @ self._rows) / row[-1]
        self._rows = np.vstack([self._rows, added])
        self._variance = self._variance - added**2

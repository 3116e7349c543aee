"""MAP fit of the curve kernel's hyperparameters, by L-BFGS-B on the log posterior and its gradient
(Rasmussen and Williams, Gaussian Processes for Machine Learning, equation 5.9)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack
from scipy.optimize import minimize

from search.surrogate.curve_kernel import JITTER, Array, Hyperparameters, distances, initial, matern

ITERATIONS = 40
PRECISION = 1e-4
"""Relative improvement of the objective below which the optimiser stops (ftol)."""
BOUND = 4.0
"""The greatest distance of a log hyperparameter from its prior mean."""
_TAIL_SPREAD = np.array([0.5, 1.0, 1.0, 1.0, 1.5])
"""Standard deviations of the Gaussian prior on `Hyperparameters.tail`; 1 for length scales."""


@dataclass(frozen=True)
class _Observed:
    """The training data sorted by time. There are few distinct times, so what depends on times
    alone is computed per level, and is constant in blocks of the (n, n) matrices."""

    designs: Array
    values: Array
    levels: Array
    """The distinct times, ascending."""
    counts: NDArray[np.int64]
    """The number of observations at each of them."""

    def blocks(self, of_levels: Array) -> Array:
        """Expands a (levels, levels) matrix to (n, n) blocks."""
        return np.repeat(np.repeat(of_levels, self.counts, axis=0), self.counts, axis=1)

    def sums(self, weights: Array) -> Array:
        """Reduces an (n, n) matrix to (levels, levels): the sum of each block."""
        begins = np.cumsum(self.counts) - self.counts
        return np.add.reduceat(np.add.reduceat(weights, begins, axis=0), begins, axis=1)


def fit(designs: Array, times: Array, values: Array) -> Hyperparameters:
    """The MAP hyperparameters for values (n,), about standard normal, observed of designs (n, d) at
    times (n,), both in 0..1."""
    prior = initial(designs)
    start = np.concatenate([prior.lengths, prior.tail])
    spread = np.concatenate([np.ones(designs.shape[1]), _TAIL_SPREAD])
    seen = _in_order(designs, times, values)
    found = minimize(
        lambda point: _objective(point, start, spread, seen),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(start - BOUND, start + BOUND, strict=True)),
        options={"maxiter": ITERATIONS, "ftol": PRECISION},
    )
    return Hyperparameters(found.x[:-5], found.x[-5:])


def _in_order(designs: Array, times: Array, values: Array) -> _Observed:
    order = np.argsort(times, kind="stable")
    levels, counts = np.unique(times, return_counts=True)
    return _Observed(designs[order], values[order], levels, counts)


def _objective(point: Array, start: Array, spread: Array, seen: _Observed) -> tuple[float, Array]:
    """The negative log posterior of `point` up to a constant, and its gradient."""
    lengths, (length, design, curve, common, noise) = np.exp(point[:-5]), np.exp(point[-5:])
    off = (point - start) / spread
    scaled = seen.designs / lengths
    near, slope = matern(distances(scaled, scaled))
    apart = (seen.levels[:, None] - seen.levels[None, :]) ** 2
    then = np.exp(-0.5 * apart / length**2)
    by_design = seen.blocks(design + curve * then)
    kernel = seen.blocks(common * then)
    kernel += near * by_design
    kernel[np.diag_indices_from(kernel)] += noise + JITTER
    factor, failed = lapack.dpotrf(kernel.T, lower=True, overwrite_a=True)
    if failed:
        return 1e9, np.zeros_like(point)
    weights = cho_solve((factor, True), seen.values, check_finite=False)
    value = 0.5 * seen.values @ weights + np.log(np.diag(factor)).sum() + 0.5 * off @ off
    pull = _pull(weights, factor)
    by_design *= pull
    by_design *= slope
    near *= pull
    own, alike = seen.sums(pull), seen.sums(near)
    of_tail = [
        ((curve * alike + common * own) * then * apart).sum() / length**2,
        design * alike.sum(),
        curve * (alike * then).sum(),
        common * (own * then).sum(),
        noise * np.trace(pull),
    ]
    gradient = np.concatenate([_spread_along(by_design, scaled), of_tail])
    return float(value), off / spread - gradient


def _pull(weights: Array, factor: Array) -> Array:
    """0.5 (w w^T - K^-1), the derivative of the log likelihood by the covariance K (n, n), from
    weights w (n,) and the lower Cholesky factor of K, which is zero above its diagonal and is
    overwritten."""
    half, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)
    diagonal = np.diag_indices_from(half)
    half[diagonal] /= 2
    pull = np.outer(weights, weights)
    pull -= half
    pull -= half.T
    pull /= 2
    return pull


def _spread_along(weights: Array, points: Array) -> Array:
    """For each coordinate (d,) the sum over pairs of weights (n, n) times the squared difference
    of points (n, d)."""
    total = weights.sum(1)
    return 2 * (total @ points**2 - np.einsum("ac,ac->c", points, weights @ points))

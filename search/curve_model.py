"""A Gaussian process over learning curves: what a design will show after an epoch.

The kernel says that curves of like designs are alike at like epochs, on a logarithmic scale:
k((x, t), (x', t')) = a m(x, x') + b m(x, x') s(t, t') + c s(t, t') with m a Matern 5/2 that has a
length for each coordinate, and s a squared exponential. The first term is what a design is worth,
the second how its curve goes there, the third what curves have in common. The idea is that of
freeze-thaw Bayesian optimisation (Swersky et al., arXiv 1406.3896), the algebra that of Rasmussen
and Williams, Gaussian Processes for Machine Learning, algorithm 2.1 and equation 5.9.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack, solve_triangular
from scipy.optimize import minimize

Array = NDArray[np.float64]

ITERATIONS = 40
JITTER = 1e-6
BOUND = 4.0
"""How far the logarithm of a hyperparameter may stray from where it begins."""

LENGTH = 0.25
"""Times the square root of the number of coordinates that vary: the typical length, so that in many
dimensions, too, some points are near (Hvarfner et al., arXiv 2402.02229)."""
_TAIL = np.log([1.0, 1.0, 0.5, 0.5, 0.02])
_TAIL_SPREAD = np.array([0.5, 1.0, 1.0, 1.0, 1.5])


@dataclass(frozen=True)
class Hyperparameters:
    """Natural logarithms, each with a Gaussian prior around where it begins."""

    lengths: Array
    """Of the designs' coordinates, each in 0..1."""
    tail: Array
    """The length in time, the variances a, b and c, and that of the noise."""


def initial(designs: Array) -> Hyperparameters:
    """Where fitting begins for designs (n, d), and the centre of the prior."""
    varying = max(1, int((np.ptp(designs, axis=0) > 0).sum())) if len(designs) else 1
    length = np.log(LENGTH * np.sqrt(varying))
    return Hyperparameters(np.full(designs.shape[1], length), _TAIL.copy())


def fit(designs: Array, times: Array, values: Array) -> Hyperparameters:
    """The most probable hyperparameters for values (n), about standard normal, seen of designs
    (n, d) at times (n), both in 0..1."""
    prior = initial(designs)
    start = np.concatenate([prior.lengths, prior.tail])
    spread = np.concatenate([np.ones(designs.shape[1]), _TAIL_SPREAD])
    apart = (times[:, None] - times[None, :]) ** 2
    found = minimize(
        lambda point: _objective(point, start, spread, designs, apart, values),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(start - BOUND, start + BOUND, strict=True)),
        options={"maxiter": ITERATIONS},
    )
    return Hyperparameters(found.x[:-5], found.x[-5:])


def _objective(
    point: Array, start: Array, spread: Array, designs: Array, apart: Array, values: Array
) -> tuple[float, Array]:
    """The negative logarithm of the posterior of `point`, but for a constant; its gradient."""
    lengths, tail = np.exp(point[:-5]), np.exp(point[-5:])
    scaled = designs / lengths
    near, slope = _matern(_distances(scaled, scaled))
    then = np.exp(-0.5 * apart / tail[0] ** 2)
    kernel = tail[1] * near + tail[2] * near * then + tail[3] * then
    kernel[np.diag_indices_from(kernel)] += tail[4] + JITTER
    off = (point - start) / spread
    factor, failed = lapack.dpotrf(kernel, lower=True)
    if failed:
        return 1e9, np.zeros_like(point)
    weights = cho_solve((factor, True), values, check_finite=False)
    value = 0.5 * values @ weights + np.log(np.diag(factor)).sum() + 0.5 * off @ off
    pull = 0.5 * (np.outer(weights, weights) - _inverse(factor))
    by_distance = pull * (tail[1] + tail[2] * then) * slope
    along = _spread_along(by_distance, scaled)
    by_time = (tail[2] * near + tail[3]) * then
    gradient = np.concatenate(
        [
            along,
            [
                np.sum(pull * by_time * apart) / tail[0] ** 2,
                tail[1] * np.sum(pull * near),
                tail[2] * np.sum(pull * near * then),
                tail[3] * np.sum(pull * then),
                tail[4] * np.trace(pull),
            ],
        ]
    )
    return float(value), -gradient + off / spread


def _inverse(factor: Array) -> Array:
    """Of the matrix whose lower Cholesky factor this is (n, n), zero above its diagonal."""
    half, _ = lapack.dpotri(factor, lower=True)
    return half + np.tril(half, -1).T


def _distances(one: Array, other: Array) -> Array:
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None, :] - 2 * one @ other.T
    return np.sqrt(np.maximum(squares, 0.0))


def _matern(distance: Array) -> tuple[Array, Array]:
    """Matern 5/2, and what (difference / length)^2 is multiplied with in its derivative by the
    logarithm of a length."""
    root = np.sqrt(5) * distance
    decay = np.exp(-root)
    return (1 + root + root**2 / 3) * decay, 5 / 3 * (1 + root) * decay


def _spread_along(weights: Array, points: Array) -> Array:
    """For each coordinate the sum over pairs of weights times the squared difference."""
    total = weights.sum(1)
    return 2 * (total @ points**2 - np.einsum("ac,ac->c", points, weights @ points))


class CurveModel:
    """The process given what was seen."""

    def __init__(
        self, hyperparameters: Hyperparameters, designs: Array, times: Array, values: Array
    ) -> None:
        """Values (n) of designs (n, d) at times (n)."""
        self._lengths = np.exp(hyperparameters.lengths)
        self._tail = np.exp(hyperparameters.tail)
        self._designs, self._times, self._values = designs / self._lengths, times, values
        kernel = self._kernel(self._designs, times)
        kernel[np.diag_indices_from(kernel)] += self._tail[4] + JITTER
        self._factor = cho_factor(kernel, lower=True)
        self._weights = cho_solve(self._factor, values)

    def predict(self, designs: Array, times: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, without the noise, of designs (m, d) at times (m)."""
        kernel = self._kernel(designs / self._lengths, times)
        solved = solve_triangular(self._factor[0], kernel.T, lower=True, check_finite=False)
        variance = self._tail[1:4].sum() - (solved**2).sum(0)
        return kernel @ self._weights, np.sqrt(np.maximum(variance, 1e-9))

    def _kernel(self, scaled: Array, times: Array) -> Array:
        near = _matern(_distances(scaled, self._designs))[0]
        then = np.exp(-0.5 * ((times[:, None] - self._times[None, :]) / self._tail[0]) ** 2)
        return self._tail[1] * near + self._tail[2] * near * then + self._tail[3] * then

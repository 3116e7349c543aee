"""The covariance kernel of learning curves: Matern 5/2 over designs, squared exponential over time.

k((x, t), (x', t')) = a m(x, x') + b m(x, x') s(t, t') + c s(t, t') with m a Matern 5/2 kernel with
a length scale per coordinate (ARD), and s a squared exponential in the logarithm of the epoch. The
first term is a design's level, the second the deviation of its curve from that over time, the third
the trend that all curves share. The idea is that of freeze-thaw Bayesian optimisation (Swersky et
al., arXiv 1406.3896).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

JITTER = 1e-6
LENGTH = 0.25
"""The prior length scale is this times the square root of the number of coordinates that vary, so
that points are correlated in many dimensions, too (Hvarfner et al., arXiv 2402.02229)."""
_TAIL = np.log([1.0, 1.0, 0.5, 0.5, 0.02])


@dataclass(frozen=True)
class Hyperparameters:
    """The kernel's hyperparameters, as natural logarithms."""

    lengths: Array
    """Length scales (d,) of the designs' coordinates, each of which is in 0..1."""
    tail: Array
    """(5,): the length scale in time, the variances a, b and c, and the noise variance."""


def initial(designs: Array) -> Hyperparameters:
    """The prior mean of the hyperparameters for designs (n, d), where a fit starts."""
    varying = max(1, int((np.ptp(designs, axis=0) > 0).sum())) if len(designs) else 1
    length = np.log(LENGTH * np.sqrt(varying))
    return Hyperparameters(np.full(designs.shape[1], length), _TAIL.copy())


class Kernel:
    """The covariance function, of points that are a design divided by the length scales, and a
    time."""

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        self._lengths = np.exp(hyperparameters.lengths)
        self._tail = np.exp(hyperparameters.tail)

    @property
    def prior(self) -> float:
        """The prior variance of a point, without the noise."""
        return float(self._tail[1:4].sum())

    @property
    def noise(self) -> float:
        """The variance of the observation noise, with the jitter."""
        return float(self._tail[4]) + JITTER

    def scaled(self, designs: Array) -> Array:
        """Designs (n, d) divided by the length scales."""
        return designs / self._lengths

    def between(self, one: Array, times: Array, other: Array, others_times: Array) -> Array:
        """Covariances (n, m) of scaled designs (n, d) at times (n,) with others (m, d) at times
        (m,)."""
        near = matern(distances(one, other))[0]
        apart = (times[:, None] - others_times[None, :]) / self._tail[0]
        then = np.exp(-0.5 * apart**2)
        near *= self._tail[1] + self._tail[2] * then
        near += self._tail[3] * then
        return near


def distances(one: Array, other: Array) -> Array:
    """Euclidean distances (n, m) of points (n, d) from others (m, d)."""
    # In place, here and below: allocating memory for each step would take longer than the step.
    squares: Array = one @ other.T
    squares *= -2
    squares += (one**2).sum(1)[:, None]
    squares += (other**2).sum(1)[None, :]
    np.maximum(squares, 0.0, out=squares)
    return np.sqrt(squares, out=squares)


def matern(distance: Array) -> tuple[Array, Array]:
    """The Matern 5/2 kernel at scaled distances (n, m), and the factor of (difference / length)^2
    in its derivative by the logarithm of a length scale. The distances are overwritten."""
    root = distance
    root *= np.sqrt(5)
    decay = np.exp(-root)
    near = root**2
    near /= 3
    root += 1
    near += root
    near *= decay
    decay *= root
    decay *= 5 / 3
    return near, decay

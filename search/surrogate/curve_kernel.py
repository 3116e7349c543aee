"""The kernel of learning curves: how alike a design's results after an epoch are to another's.

k((x, t), (x', t')) = a m(x, x') + b m(x, x') s(t, t') + c s(t, t') with m a Matern 5/2 that has a
length for each coordinate, and s a squared exponential: curves of like designs are alike at like
epochs, on a logarithmic scale. The first term is what a design is worth, the second how its curve
goes there, the third what curves have in common. The idea is that of freeze-thaw Bayesian
optimisation (Swersky et al., arXiv 1406.3896).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

JITTER = 1e-6
LENGTH = 0.25
"""Times the square root of the number of coordinates that vary: the typical length, so that in many
dimensions, too, some points are near (Hvarfner et al., arXiv 2402.02229)."""
_TAIL = np.log([1.0, 1.0, 0.5, 0.5, 0.02])


@dataclass(frozen=True)
class Hyperparameters:
    """Natural logarithms."""

    lengths: Array
    """Of the designs' coordinates, each in 0..1."""
    tail: Array
    """The length in time, the variances a, b and c, and that of the noise."""


def initial(designs: Array) -> Hyperparameters:
    """What is probable for designs (n, d) of which nothing was seen."""
    varying = max(1, int((np.ptp(designs, axis=0) > 0).sum())) if len(designs) else 1
    length = np.log(LENGTH * np.sqrt(varying))
    return Hyperparameters(np.full(designs.shape[1], length), _TAIL.copy())


class Kernel:
    """Covariances of points: designs divided by the lengths, and times."""

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        self._lengths = np.exp(hyperparameters.lengths)
        self._tail = np.exp(hyperparameters.tail)

    @property
    def prior(self) -> float:
        """The variance of a point of which nothing is known."""
        return float(self._tail[1:4].sum())

    @property
    def noise(self) -> float:
        """The variance of what is seen at a point beside that of the point."""
        return float(self._tail[4]) + JITTER

    def scaled(self, designs: Array) -> Array:
        """Designs (n, d) divided by the lengths."""
        return designs / self._lengths

    def between(self, one: Array, times: Array, other: Array, others_times: Array) -> Array:
        """Covariances (n, m) of scaled designs (n, d) at times (n) with others (m, d) at times."""
        near = matern(distances(one, other))[0]
        apart = (times[:, None] - others_times[None, :]) / self._tail[0]
        then = np.exp(-0.5 * apart**2)
        near *= self._tail[1] + self._tail[2] * then
        near += self._tail[3] * then
        return near


def distances(one: Array, other: Array) -> Array:
    """Euclidean distances (n, m) of points (n, d) from others (m, d)."""
    # In place, here and below: fresh memory for each step would take longer than the step.
    squares: Array = one @ other.T
    squares *= -2
    squares += (one**2).sum(1)[:, None]
    squares += (other**2).sum(1)[None, :]
    np.maximum(squares, 0.0, out=squares)
    return np.sqrt(squares, out=squares)


def matern(distance: Array) -> tuple[Array, Array]:
    """Matern 5/2, and what (difference / length)^2 is multiplied with in its derivative by the
    logarithm of a length. The distances are overwritten."""
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

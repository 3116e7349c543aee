"""Expected improvement, as a logarithm (Jones et al. 1998, equation 15)."""

import numpy as np
from scipy.stats import norm

from search.surrogate.curve_kernel import Array


def log_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """The log of the expected improvement over `best` (n,), numerically stable also where it
    underflows."""
    away = (mean - best) / deviation
    density = norm.logpdf(away)
    # Below the best by the density: far below, 1 + u Phi(u) / phi(u) loses its digits; its limit is
    # 1 / u^2. Above it by itself: there the density is next to nothing.
    below = np.minimum(away, 0.0)
    ratio = 1 + below * np.exp(norm.logcdf(below) - norm.logpdf(below))
    tail = 1 / np.maximum(below**2, 1.0)
    far = density + np.log(np.where(below > -20, np.maximum(ratio, 1e-9), tail))
    above = np.maximum(away, 0.0)
    near = np.log(above * norm.cdf(above) + norm.pdf(above))
    improvement: Array = np.where(away > 0, near, far) + np.log(deviation)
    return improvement

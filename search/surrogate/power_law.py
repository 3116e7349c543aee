"""Extrapolates errors by a power law of the epochs: error(n) = a n^-s.

The exponent s of a trial is its own, drawn to that of all trials, which is drawn to one that is
common for small image classifiers (Hestness et al., arXiv 1712.00409, find such laws in the number
of images; here they are taken in that of epochs, over short ranges).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from search.surrogate.curve_kernel import Array
from search.surrogate.run_history import ObservedTrial

EXPONENT = 0.35
"""The exponent where nothing was seen yet."""
WEIGHT, OWN_WEIGHT = 4.0, 2.0
"""How many trials' exponents the common one counts for, and the exponent of all beside a trial's
own."""
LEAST_ERROR = 1e-3


def log_errors(seen: Sequence[ObservedTrial[Any]], epochs: Array) -> Array:
    """Natural logarithms (n,) of the errors that trials are expected to have after `epochs` (n,).

    Each trial has at least one epoch.
    """
    own = [_exponent(each) for each in seen]
    known = [exponent for exponent in own if exponent is not None]
    shared = (WEIGHT * EXPONENT + sum(known)) / (WEIGHT + len(known))
    logs = []
    for each, exponent, epoch in zip(seen, own, epochs, strict=True):
        drawn = shared if exponent is None else (OWN_WEIGHT * shared + exponent) / (OWN_WEIGHT + 1)
        newest, accuracy = each.results[-1] if each.results else (each.last_epoch, each.newest)
        logs.append(_log_error(accuracy) - drawn * np.log(max(epoch, 1.0) / newest))
    return np.array(logs)


def _exponent(seen: ObservedTrial[Any]) -> float | None:
    """The exponent between a trial's last two rungs; None before it reached two."""
    if len(seen.results) < 2:
        return None
    (before, worse), (after, better) = seen.results[-2:]
    if after <= before:
        return None
    return float((_log_error(worse) - _log_error(better)) / np.log(after / before))


def _log_error(accuracy: float) -> float:
    return float(np.log(max(1 - accuracy, LEAST_ERROR)))

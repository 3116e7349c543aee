"""Extrapolates errors along a law of learning curves: a power law of the epochs whose exponent
falls with them.

The logarithm of the error falls by s(n) for each unit of log n, with s(n) = max(0, a - b log n): a
and b are those of small convolutional networks on photographs with a rate that falls to zero (61,
77, 85 and 87 % after 1, 3, 11 and 25 epochs). All that a run has seen scales it, and a trial's own
curve what is forecast for the trial. For power laws of learning curves see Hestness et al., arXiv
1712.00409.
"""

from collections.abc import Sequence

import numpy as np

from search.surrogate.curve_kernel import Array
from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D, Space

EXPONENT, FALL = 0.566, 0.148
"""The exponent a at the first epoch, and its fall b for a unit of the logarithm of the epochs."""
WEIGHT, OWN_WEIGHT = 4.0, 2.0
"""How many trials the law as it stands counts for in the scale of all, and how many that scale
counts for in a trial's own."""
LEAST_ERROR = 1e-3


def log_errors(space: Space[D], seen: Sequence[ObservedTrial[D]], epochs: Array) -> Array:
    """Natural logarithms (n,) of the errors that trials are expected to have after `epochs` (n,).

    Each trial has at least one epoch. The fall of its error is multiplied by the persistence of its
    design.
    """
    results = [_results(space, each) for each in seen]
    own = [_scale(each) for each in results]
    known = [
        scale
        for scale, each in zip(own, seen, strict=True)
        if scale is not None and not each.failed
    ]
    common = (WEIGHT + sum(known)) / (WEIGHT + len(known))
    logs = []
    for each, scale, epoch, its_results in zip(seen, own, epochs, results, strict=True):
        its = common if scale is None else (OWN_WEIGHT * common + scale) / (OWN_WEIGHT + 1)
        its *= space.persistence(each.design)
        newest, accuracy = its_results[-1] if its_results else (each.last_epoch or 1, each.newest)
        logs.append(_log_error(accuracy) - its * fall(newest, max(epoch, newest)))
    return np.array(logs)


def fall(begin: float, end: float) -> float:
    """By how much the logarithm of the error falls from epoch `begin` to `end`, by the law."""
    begin, end = (min(np.log(epoch), EXPONENT / FALL) for epoch in (begin, end))
    return float(EXPONENT * (end - begin) - FALL * (end**2 - begin**2) / 2)


def _results(space: Space[D], seen: ObservedTrial[D]) -> list[tuple[int, float]]:
    """What a trial had at its rungs, where that is a result, or it failed."""
    design, failed = seen.design, seen.failed
    return [each for each in seen.results if failed or space.is_result(design, each[0])]


def _scale(results: Sequence[tuple[int, float]]) -> float | None:
    """How much faster a trial's error fell between its last two rungs than by the law, 0 to 2; None
    before it reached two."""
    if len(results) < 2:
        return None
    (before, worse), (after, better) = results[-2:]
    by_law = fall(before, after)
    if by_law <= 0:
        return None
    return float(np.clip((_log_error(worse) - _log_error(better)) / by_law, 0.0, 2.0))


def _log_error(accuracy: float) -> float:
    return float(np.log(max(1 - accuracy, LEAST_ERROR)))

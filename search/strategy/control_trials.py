"""Control trials: random designs that are trained to their ends, whatever their first rungs show.

They are what is known without trust in early rungs: how well the order of trials at the first rung
predicts that at the end, and what random search would find. The worse the prediction, the larger
their share of the epochs, so that a search whose early rungs mislead becomes a random search.
"""

import itertools
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from models.rungs import rungs_of
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.actions import D

AGREEMENT, PAIRS = 0.7, 3.0
"""Rank correlation of first rung and end that is expected, and the number of pairs of trials that
this expectation counts for."""
OF_PAUSED = 0.5
"""The part of the control trials that are paused ones; the others are new."""
LEAST_NEW = 4
"""The number of new ones that come first: paused trials were chosen by what first rungs had shown,
and say less."""
OPPOSED = 2.0
"""The power of 1 plus a negative rank correlation that is the part of the paused trials from which
a control trial is chosen."""
LEAST_RUNGS = 3
"""With fewer rungs, every promotion leads to the end, and there are no control trials."""
NEWEST = 40
"""The control trials whose order counts, the newest."""
SLOPE, LEAST, MOST = 0.6, 0.1, 0.75
"""The share of epochs falls by SLOPE for each unit of rank correlation, to 0 at 1; its limits."""


def is_due(history: RunHistory[Any], epochs: int) -> bool:
    """Whether a further control trial of so many epochs keeps within the share of all epochs."""
    if len(rungs_of(epochs)) < LEAST_RUNGS:
        return False
    return history.epochs_controlled + epochs <= share(history) * history.epochs_given


def share(history: RunHistory[Any]) -> float:
    """The share of all epochs that control trials may have."""
    return float(np.clip(SLOPE * (1 - agreement(history)), LEAST, MOST))


def of_paused(history: RunHistory[Any]) -> float:
    """The part of the control trials that are paused ones."""
    return OF_PAUSED if len(history.controls) >= LEAST_NEW else 0.0


def choose(history: RunHistory[D], waiting: Sequence[ObservedTrial[D]], random: Random) -> int:
    """The number of the paused trial that is to be a control trial: any, by chance; where first
    rung and end were seen to be opposed, one of those that began the lowest, the fewer the more
    opposed."""
    lowest = sorted(waiting, key=lambda each: each.results[0][1])
    part = min(1 + agreement(history), 1.0) ** OPPOSED
    return random.choice(lowest[: max(1, round(part * len(lowest)))]).trial


def agreement(history: RunHistory[Any]) -> float:
    """The rank correlation (Kendall's tau, -1..1) of accuracies at the first rung and at the end,
    over pairs of control trials, drawn to what is expected."""
    ended = [each for each in history.controls if each.finished and len(each.results) > 1]
    ended = ended[-NEWEST:]
    signs = [
        np.sign(one.results[0][1] - other.results[0][1])
        * np.sign(one.results[-1][1] - other.results[-1][1])
        for one, other in itertools.combinations(ended, 2)
    ]
    return float((PAIRS * AGREEMENT + sum(signs)) / (PAIRS + len(signs)))

"""The surrogate of a search within a time limit: a Gaussian process over designs, of the accuracy
that each is expected to have after a final training of a given length.

It learns from extrapolated accuracies (search/surrogate/power_law.py), for designs whose trainings
would have different numbers of epochs; time plays no part in it.
"""

from collections.abc import Sequence

import numpy as np

from search.surrogate import kernel_fit
from search.surrogate.curve_kernel import Array
from search.surrogate.forecast import MOST_RUNNING, Forecast, Forecaster, with_believed
from search.surrogate.gaussian_process import Covariance, GaussianProcess
from search.surrogate.output_warping import OutputWarping
from search.surrogate.run_history import ObservedTrial
from search.terms.actions import D

MOST_TRIALS = 100
"""Trials that it learns from at most, since it is fitted anew at each decision."""


def final_forecast(
    forecaster: Forecaster[D],
    seen: Sequence[ObservedTrial[D]],
    accuracies: Array,
    running: Sequence[ObservedTrial[D]],
) -> Forecast:
    """The surrogate from trials and their expected final accuracies (n,), 0..1. Running trials are
    included as if they were to reach what is expected of them (kriging believer)."""
    if len(seen) > MOST_TRIALS:  # the first are candidates and the best where there are many
        half = MOST_TRIALS // 2
        seen = [*seen[:half], *seen[-half:]]
        accuracies = np.concatenate([accuracies[:half], accuracies[-half:]])
    places, times = forecaster.places_of(seen), np.zeros(len(seen))
    warp = OutputWarping(accuracies)
    known = Covariance.of(kernel_fit.fit(places, times, warp.scores), places, times)
    curves = GaussianProcess(known, warp.scores)
    begun = [each for each in running if not each.results][-MOST_RUNNING:]
    if begun:
        times = np.zeros(len(begun))
        curves = with_believed(curves, warp.scores, forecaster.places_of(begun), times)
    return Forecast(curves, warp)

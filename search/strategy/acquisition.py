"""Chooses by forecast: which design to begin, or which paused trial to go on with.

The choice is the one whose last epoch has the highest expected improvement over the best result
so far (Jones et al. 1998, equation 15), by a forecast of its learning curve. New and paused designs
are not held against one another, for a new one can always be imagined that beats all that was seen:
each kind has its share of the epochs.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from search.space.random_sampling import NeighbourSuggest, RandomSuggest
from search.strategy.objectives import second_objective
from search.surrogate.forecast import Forecast, Forecaster
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.actions import D, ExpectedGain, Space
from search.terms.front import hypervolume_gain
from search.terms.rungs import rungs_of

Array = NDArray[np.float64]

SHARE_OF_PROMOTIONS = 0.6
"""Of all epochs, the part for trials beyond their first rung."""
ANYWHERE, NEARBY = 200, 100
"""New designs that are held against one another: any, and ones near the most promising."""
MOST_DRAWS = 20
"""So many times as many are drawn at most, where few of them may be begun."""
MOST_PROMISING = 10
FEW_RUNNING, RUNNING_A_BEGIN, MOST_BEGUN = 16, 3, 50
"""One forecast serves for one design to begin for so many trials that run beyond the few, for it
takes time; each is chosen as if those before it had come to what is expected of them."""
RUNNING_A_RESUME, WAITING_A_RESUME = 32, 4
"""And for one paused trial to go on with for so many that run, and so many that wait: there the
latest results are what tells the good from the rest."""


@dataclass(frozen=True)
class _Candidates(Generic[D]):
    """What there is to choose from, with how far each has come."""

    designs: list[D]
    trials: list[ObservedTrial[D]]
    """The first of `designs` are those of paused trials."""
    done: Array
    ends: Array
    places: Array
    rates: Array
    """Seconds an epoch."""

    def rungs(self, index: int) -> list[int]:
        """The rungs that a candidate has still before it."""
        return [rung for rung in rungs_of(int(self.ends[index])) if rung > self.done[index]]


class Acquisition(Generic[D]):
    """Chooses among candidates by their forecasts."""

    def __init__(
        self,
        space: Space[D],
        history: RunHistory[D],
        *,
        may_begin: Callable[[D], bool] = lambda design: True,
        second: str = "",
        per_cost: bool = False,
    ) -> None:
        """Only designs that `may_begin` are held against one another. With a `second` objective a
        choice goes by what it adds to the front's area; with `per_cost` by the improvement divided
        by what it is expected to cost."""
        self._space, self._history, self._may_begin = space, history, may_begin
        self._second, self._per_cost = second, per_cost
        self.forecaster = Forecaster(space, history)
        self._chosen_paused: list[tuple[int, ExpectedGain]] = []
        self._chosen_new: list[tuple[D, ExpectedGain]] = []
        """Of one forecast, the best first; each is there until it is taken up."""
        self._offered: list[Any] = []
        """One of the two, of which the first was the answer to the last question."""

    @property
    def promotion_due(self) -> bool:
        """Whether trials beyond their first rung have had less than their share."""
        given = self._history.epochs_given
        return given - self._history.epochs_begun < SHARE_OF_PROMOTIONS * given

    def _drop_gone(self, paused: Sequence[ObservedTrial[D]]) -> None:
        waiting = {each.trial for each in paused}
        self._chosen_paused[:] = [each for each in self._chosen_paused if each[0] in waiting]

    def best_paused(self) -> tuple[int, ExpectedGain]:
        """The paused trial to go on with; there is one at least."""
        paused = self._history.candidates()
        self._drop_gone(paused)
        running = len(self._history.running)
        count = max(1, min(running // RUNNING_A_RESUME, len(paused) // WAITING_A_RESUME))
        del self._chosen_paused[count:]  # where lanes went since
        if not self._chosen_paused:
            forecast = self.forecaster.now()
            best = self._best(forecast, self._candidates(paused, []), count)
            self._chosen_paused = [(paused[index].trial, expected) for index, expected in best]
        self._offered = self._chosen_paused
        return self._chosen_paused[0]

    def best_new(self, random: Random) -> tuple[D, ExpectedGain]:
        """The design to begin; one that may not, where next to none may."""
        further = len(self._history.running) - FEW_RUNNING
        count = max(1, min(further // RUNNING_A_BEGIN, MOST_BEGUN))
        self._chosen_new = [each for each in self._chosen_new if self._may_begin(each[0])][:count]
        if not self._chosen_new:
            forecast = self.forecaster.now()
            designs = self._designs(forecast, random)
            best = self._best(forecast, self._candidates([], designs), count)
            self._chosen_new = [(designs[index], expected) for index, expected in best]
        self._offered = self._chosen_new
        return self._chosen_new[0]

    def taken_up(self) -> None:
        """What was offered last is done, if it was anything."""
        del self._offered[:1]
        self._offered = []

    def asked(self) -> None:
        """A further question: nothing is offered yet."""
        self._offered = []

    def forget(self) -> None:
        """A new session knows nothing of what was chosen before and has not begun."""
        self._chosen_new, self._chosen_paused = [], []

    def _designs(self, forecast: Forecast, random: Random) -> list[D]:
        """Different designs, any, and near the most promising."""
        chance = RandomSuggest(random)
        designs = self._drawn(lambda: self._space.sample(chance), ANYWHERE)
        bases = [self._space.answers(design) for design in self._most_promising(forecast)]
        if bases:
            designs += self._drawn(
                lambda: self._space.sample(NeighbourSuggest(random, random.choice(bases))), NEARBY
            )
        return list(dict.fromkeys(designs)) or [self._space.sample(chance)]

    def _drawn(self, draw: Callable[[], D], count: int) -> list[D]:
        """So many designs that may be begun; fewer where next to none may."""
        drawn = (draw() for _ in range(count * MOST_DRAWS))
        return list(itertools.islice(filter(self._may_begin, drawn), count))

    def _most_promising(self, forecast: Forecast) -> list[D]:
        """Designs of the trials with the best forecasts of their last epochs."""
        seen = [each for each in self._history.sample() if not each.failed]
        if not seen:
            return []
        places = self.forecaster.places_of(seen)
        mean = forecast.curves.expected(places, self._times([each.epochs for each in seen]))
        return [seen[index].design for index in np.argsort(-mean, kind="stable")[:MOST_PROMISING]]

    def _candidates(self, paused: list[ObservedTrial[D]], new: list[D]) -> _Candidates[D]:
        designs = [each.design for each in paused] + new
        places = self.forecaster.places_of(paused) if paused else self.forecaster.places(new)
        rates = np.array([each.seconds / each.last_epoch for each in paused] + [0.0] * len(new))
        if not rates.all():
            rates = np.where(rates > 0, rates, self.forecaster.rates().predict(places))
        return _Candidates(
            designs,
            paused,
            np.array([each.last_epoch for each in paused] + [0] * len(new), float),
            np.array([self._space.epochs(design) for design in designs], float),
            places,
            rates,
        )

    def _best(
        self, forecast: Forecast, candidates: _Candidates[D], count: int
    ) -> list[tuple[int, ExpectedGain]]:
        """The `count` best of the candidates, the best first, each as if those before it were
        running."""
        ends = forecast.curves.predict(candidates.places, self._times(candidates.ends))
        mean, deviation, top = ends.mean, ends.deviation, forecast.warp.top
        left = candidates.rates * (candidates.ends - candidates.done)
        improvement = log_improvement(mean, deviation, top)
        score = improvement
        if self._second:
            score = np.log(self._area_gains(forecast, candidates) + 1e-12)
        if self._per_cost:
            legs = [candidates.rungs(i)[0] - candidates.done[i] for i in range(len(score))]
            score = score - np.log(candidates.rates * legs)
        best: list[tuple[int, ExpectedGain]] = []
        taken = np.zeros(len(score), bool)
        while True:
            one = int(np.argmax(np.where(taken, -np.inf, score)))
            points = 100 * forecast.warp.expected_gain(mean[one], ends.deviation[one])
            best.append((one, ExpectedGain(points, float(left[one]))))
            if len(best) == min(count, len(score)):
                return best
            taken[one] = True
            ends.believe(one, self._times([candidates.rungs(one)[0]]))
            lessened = log_improvement(mean, ends.deviation, top)
            score, improvement = score + lessened - improvement, lessened

    def _area_gains(self, forecast: Forecast, candidates: _Candidates[D]) -> Array:
        """By how much the area of the front would grow if a candidate came to what is likely (the
        forecast and its deviation) at the best of the rungs before it that give a result."""
        stops = [
            (index, rung)
            for index, design in enumerate(candidates.designs)
            for rung in candidates.rungs(index)
            if self._space.is_result(design, rung)
        ]
        rows, epochs = np.array(stops).T
        stop = forecast.curves.predict(candidates.places[rows], self._times(epochs))
        accuracies = forecast.warp.accuracy(stop.mean + stop.deviation)
        costs = self._seconds(candidates, rows, epochs)
        reached = np.stack([accuracies, np.log(costs)], axis=1)
        known = self._known_points()
        low, high = known.min(0), np.maximum(known.max(0), reached.max(0))
        span = np.where(high > low, high - low, 1.0)
        gains = hypervolume_gain((known - low) / span, (reached - low) / span)
        best = np.zeros(len(candidates.designs))
        np.maximum.at(best, rows, gains)
        return best

    def _seconds(self, candidates: _Candidates[D], rows: Array, epochs: Array) -> Array:
        """The second objective of candidates after epochs."""
        if self._second == "cost":
            return candidates.rates[rows] * epochs
        values = np.ones(len(candidates.designs))
        measures = self.forecaster.measures()
        if measures is not None:
            values = measures.predict(candidates.places)
        for index, each in enumerate(candidates.trials):
            values[index] = each.measure or values[index]
        return values[rows]

    def _known_points(self) -> Array:
        """(accuracy, logarithm of the second objective) of the results that are learned from."""
        points = [
            (accuracy, np.log(second_objective(each, epoch, self._second)))
            for each in self._history.sample()
            for epoch, accuracy in each.results
            if not each.failed and self._space.is_result(each.design, epoch)
        ]
        return np.array(points or [(0.0, 0.0)])

    def _times(self, epochs: Sequence[float] | Array) -> Array:
        return self.forecaster.times(epochs)


def log_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """The logarithm of the expected improvement over `best`, also where it is next to nothing."""
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

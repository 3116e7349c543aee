"""The acquisition function: picks the new design to start, or the paused trial to promote, by
expected improvement.

The choice is the candidate whose last epoch has the highest expected improvement over the incumbent
(Jones et al. 1998, equation 15), by the surrogate's forecast of its learning curve. Within a limit
of time it is what a finale of the design would reach that counts, over what its first rung takes.
New designs and paused trials are not compared with one another, since among unlimited new designs
some can always be imagined with a higher value: each kind has its share of the epochs.
"""

import itertools
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Generic

import numpy as np

from search.planning.budget_plan import BudgetPlan
from search.planning.time_limit import TimeLimit
from search.space.random_sampling import NeighbourSuggest, RandomSuggest
from search.strategy.candidates import Candidates
from search.strategy.expected_improvement import log_improvement
from search.strategy.objectives import second_objective
from search.surrogate.curve_kernel import Array
from search.surrogate.forecast import Forecast, Forecaster
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.actions import D, ExpectedGain, Space, Suggest
from search.terms.front import hypervolume_gain

SHARE_OF_PROMOTIONS = 0.6
"""The share of all epochs that goes to trials beyond their first rung."""
SHARE_WITHIN_A_BUDGET = 0.4
"""The same where the budget limits time: before the finale, which is not among them."""
ANYWHERE, NEARBY = 200, 100
"""The number of new candidates: samples, and neighbours of the most promising designs."""
MOST_DRAWS = 20
"""Samples per candidate, at most, where few designs are feasible."""
MOST_PROMISING = 10
"""Designs with the best forecasts, around which neighbours are sampled."""
FEW_RUNNING, RUNNING_A_BEGIN, MOST_BEGUN = 16, 3, 50
"""Batch size for new designs, as a forecast takes time: one per RUNNING_A_BEGIN running trials
beyond FEW_RUNNING, at most MOST_BEGUN; each is chosen as if those before it had reached their
expected values (kriging believer)."""
RUNNING_A_RESUME, WAITING_A_RESUME = 32, 4
"""Batch size for promotions: one per so many running trials, and per so many paused candidates.
Smaller, since promotions depend most on the newest results."""


class Acquisition(Generic[D]):
    """Maximises the acquisition function over candidates, in batches of one forecast."""

    def __init__(
        self,
        space: Space[D],
        history: RunHistory[D],
        *,
        may_begin: Callable[[D], bool] = lambda design: True,
        second: str = "",
        per_cost: bool = False,
        draw: Callable[[Random], Suggest] = RandomSuggest,
    ) -> None:
        """Only designs that `may_begin` are candidates. With a `second` objective the acquisition
        function is the hypervolume improvement of the Pareto front; with `per_cost` it is divided
        by the expected cost until the candidate's next rung; within a limit of time it always is,
        and there is no second objective. `draw` makes a `Suggest` from random numbers, with which
        a new design is sampled."""
        self._space, self._history, self._may_begin = space, history, may_begin
        self._second, self._per_cost, self._draw = second, per_cost, draw
        self.forecaster = Forecaster(space, history)
        self._chosen_paused: list[tuple[int, ExpectedGain]] = []
        self._chosen_new: list[tuple[D, ExpectedGain]] = []
        """The batches of the latest forecasts, the best first; each entry stays until it is taken
        up."""
        self._offered: list[Any] = []
        """The batch whose first entry was returned last; empty where none was."""
        self._before: list[tuple[D, ExpectedGain]] | None = None
        """The batch of new designs when this decision began; None once it was acted on."""
        self._limit: TimeLimit[D] | None = None
        """What the budget allows at this decision; None where it does not limit time."""

    @property
    def promotion_due(self) -> bool:
        """Whether trials beyond their first rung have had less than their share of the epochs."""
        given = self._history.epochs_given - self._history.epochs_controlled
        explores = self._limit is not None and not self._limit.over
        share = SHARE_WITHIN_A_BUDGET if explores else SHARE_OF_PROMOTIONS
        return given - self._history.epochs_begun < share * given

    def _drop_gone(self, paused: Sequence[ObservedTrial[D]]) -> None:
        waiting = {each.trial for each in paused}
        self._chosen_paused[:] = [each for each in self._chosen_paused if each[0] in waiting]

    def limit(self, plan: BudgetPlan, spare: float, *, over: bool) -> None:
        """Limits this decision to what takes a lane at most `spare` worker-seconds; the exploration
        may be `over`."""
        self._limit = TimeLimit(plan, spare, over, self._space, self.forecaster)

    def fits(self, design: D, *, known: bool = False) -> bool:
        """Whether the time that is left is enough to begin a design, one that is `known` to be
        good or any."""
        return self._limit is None or self._limit.may_begin(design, known=known)

    @property
    def can_choose(self) -> bool:
        """Whether there is enough to choose a paused trial by: a forecast, or a limit of time."""
        return self.forecaster.ready or self._limit is not None

    def best_paused(self) -> tuple[int, ExpectedGain | None] | None:
        """The paused trial to promote, and its expected gain, which there is none of within a
        limit of time; None where no trial's leg ends in time. At least one trial must be paused."""
        paused = self._history.candidates()
        if self._limit is not None:
            chosen = self._limit.best_paused(paused)
            return None if chosen is None else (chosen.trial, None)
        self._drop_gone(paused)
        running = len(self._history.running)
        count = max(1, min(running // RUNNING_A_RESUME, len(paused) // WAITING_A_RESUME))
        del self._chosen_paused[count:]  # the batch is smaller where fewer lanes run by now
        if not self._chosen_paused:
            forecast = self.forecaster.now()
            best = self._best(forecast, self._candidates(paused, []), count)
            self._chosen_paused = [(paused[index].trial, expected) for index, expected in best]
        self._offered = self._chosen_paused
        return self._chosen_paused[0]

    def best_new(self, random: Random) -> tuple[D, ExpectedGain]:
        """The design to start, and its expected gain; an infeasible one where no feasible one was
        found."""
        further = len(self._history.running) - FEW_RUNNING
        count = max(1, min(further // RUNNING_A_BEGIN, MOST_BEGUN))
        may_begin = [self._may_begin(design) for design, _ in self._chosen_new[:count]]
        those_first = sorted(
            zip(may_begin, self._chosen_new, strict=False), key=lambda each: not each[0]
        )
        self._chosen_new = [each for _, each in those_first] if any(may_begin) else []
        if not self._chosen_new:
            forecast = self._forecast()
            designs = self._designs(forecast, random)
            best = self._best(forecast, self._candidates([], designs), count)
            self._chosen_new = [(designs[index], expected) for index, expected in best]
        self._offered = self._chosen_new
        return self._chosen_new[0]

    def taken_up(self) -> None:
        """The choice that was returned last has been acted on: removes it from its batch."""
        del self._offered[:1]
        self._offered, self._before = [], None

    def asked(self) -> None:
        """A new decision begins: no choice has been returned for it yet. A batch that was computed
        for one that was never acted on is dropped: what is asked in vain changes no answer."""
        if self._before is not None:
            self._chosen_new = self._before
        self._before = list(self._chosen_new)
        self._offered, self._limit = [], None

    def forget(self) -> None:
        """Drops the batches: a new session does not know choices that were not acted on."""
        self._chosen_new, self._chosen_paused, self._before = [], [], None

    def _designs(self, forecast: Forecast, random: Random) -> list[D]:
        """The new candidates, without duplicates: samples, and neighbours of the most promising
        designs."""

        def sampled() -> D:
            return self._space.sample(self._draw(random))

        designs = self._drawn(sampled, ANYWHERE)
        bases = [self._space.answers(design) for design in self._most_promising(forecast)]
        if bases:
            designs += self._drawn(
                lambda: self._space.sample(NeighbourSuggest(random, random.choice(bases))), NEARBY
            )
        return list(dict.fromkeys(designs)) or [sampled()]

    def _drawn(self, draw: Callable[[], D], count: int) -> list[D]:
        """Rejection sampling of `count` feasible designs; fewer where feasible ones are rare."""
        drawn = (draw() for _ in range(count * MOST_DRAWS))
        return list(itertools.islice(filter(self._may_begin, drawn), count))

    def _most_promising(self, forecast: Forecast) -> list[D]:
        """Designs of the trials with the highest posterior mean at their last epoch."""
        seen = [each for each in self._history.sample() if not each.failed]
        if not seen:
            return []
        places = self.forecaster.places_of(seen)
        mean = forecast.curves.expected(places, self._times([each.epochs for each in seen]))
        return [seen[index].design for index in np.argsort(-mean, kind="stable")[:MOST_PROMISING]]

    def _candidates(self, paused: list[ObservedTrial[D]], new: list[D]) -> Candidates[D]:
        designs = [each.design for each in paused] + new
        places = self.forecaster.places_of(paused) if paused else self.forecaster.places(new)
        rates = np.array([each.seconds / each.last_epoch for each in paused] + [0.0] * len(new))
        if not rates.all():
            rates = np.where(rates > 0, rates, self._predicted_rates(designs, places))
        done = np.array([each.last_epoch for each in paused] + [0] * len(new), float)
        ends = np.array([self._space.epochs(design) for design in designs], float)
        horizons = ends
        if self._limit is not None:  # at least one epoch, however short the time
            horizons = np.clip(self._limit.horizon(rates, ends), 1, ends)
        return Candidates(designs, paused, done, ends, horizons, places, rates)

    def _predicted_rates(self, designs: Sequence[D], places: Array) -> Array:
        by_work = self._limit.cost_model if self._limit else self.forecaster.cost_model()
        if by_work is None:
            return self.forecaster.rates().predict(places)
        return by_work.predict(np.array([self._space.work(design) for design in designs]))

    def _best(
        self, forecast: Forecast, candidates: Candidates[D], count: int
    ) -> list[tuple[int, ExpectedGain]]:
        """The `count` candidates with the highest acquisition values, as (index, expected gain):
        chosen greedily, each as if those before it were running (kriging believer)."""
        ends = forecast.curves.predict(candidates.places, self._times(candidates.horizons))
        mean, deviation, top = ends.mean, ends.deviation, forecast.warp.top
        left = candidates.rates * (candidates.horizons - candidates.done)
        improvement = log_improvement(mean, deviation, top)
        score = improvement
        if self._second:
            score = np.log(self._area_gains(forecast, candidates) + 1e-12)
        if self._limit is not None:
            score = score - np.log(candidates.legs() + self._limit.typical)
        elif self._per_cost:
            score = score - np.log(candidates.legs())
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

    def _area_gains(self, forecast: Forecast, candidates: Candidates[D]) -> Array:
        """Hypervolume improvements (n,), over accuracy and log cost scaled to 0..1, if a candidate
        reached an optimistic accuracy (mean plus one standard deviation): the largest of the rungs
        ahead that give a result."""
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

    def _seconds(self, candidates: Candidates[D], rows: Array, epochs: Array) -> Array:
        """The second objective of the candidates `rows` after `epochs`: seconds for cost, else its
        measured or predicted value."""
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
        """(accuracy, log of the second objective) of the results in the history's subsample, (n,
        2)."""
        points = [
            (accuracy, np.log(second_objective(each, epoch, self._second)))
            for each in self._history.sample()
            for epoch, accuracy in each.results
            if not each.failed and self._space.is_result(each.design, epoch)
        ]
        return np.array(points or [(0.0, 0.0)])

    def _times(self, epochs: Sequence[float] | Array) -> Array:
        """The kernel's times (n,). Within a limit of time there are none: designs are compared by
        what a finale of them would reach."""
        if self._limit is not None:
            return np.zeros(len(epochs))
        return self.forecaster.times(epochs)

    def _forecast(self) -> Forecast:
        return self.forecaster.now() if self._limit is None else self._limit.forecast()

"""The limit of time at one decision: which designs may begin, and which trials may go on."""

from collections.abc import Sequence
from typing import Generic

import numpy as np

from models.rungs import REDUCTION, next_rung
from search.planning.budget_plan import MARGIN, BudgetPlan
from search.surrogate.curve_kernel import Array
from search.surrogate.final_forecast import final_forecast
from search.surrogate.forecast import Forecast, Forecaster
from search.surrogate.power_law import log_errors
from search.surrogate.run_history import WORST, ObservedTrial, epoch_seconds
from search.terms.actions import D, Space


class TimeLimit(Generic[D]):
    """What a lane may do in the worker-seconds that it has to spare."""

    def __init__(
        self,
        plan: BudgetPlan,
        spare: float,
        over: bool,
        space: Space[D],
        forecaster: Forecaster[D],
    ) -> None:
        """Once the exploration is `over` designs begin that no finale is left for, if they fit."""
        self._plan, self._spare, self.over, self._space = plan, spare * (1 - MARGIN), over, space
        self._forecaster, self._history = forecaster, forecaster.history
        self.cost_model = forecaster.cost_model()
        timed = forecaster.timed()
        trained = sum(each.seconds for each in timed)
        evaluated = sum(each.evaluation for each in timed)
        self._beside = 1 + (evaluated / trained if trained else 0.0)
        """Worker-seconds of a lane for each of training."""

    @property
    def typical(self) -> float:
        """Worker-seconds of a usual first rung. Improvement is divided by what a leg takes and
        this: by its own time alone the cheapest designs would be all that is ever begun."""
        return self._plan.look

    def may_begin(self, design: D, *, known: bool = False) -> bool:
        """Whether a design's first rung is a result, which a finale can build on, and ends in time,
        as far as that is known before anything was timed; `known` is one that is likely
        good."""
        rung = next_rung(self._space.epochs(design), 0)
        if not self._space.is_result(design, rung):
            return False
        if self.cost_model is None:
            return True
        epoch = float(self.cost_model.predict(self._space.work(design)[None])[0]) * self._beside
        look = epoch * rung
        if look > self._spare:
            return False
        return self.over or self._plan.may_begin(epoch, known=known)

    def best_paused(self, paused: Sequence[ObservedTrial[D]]) -> ObservedTrial[D] | None:
        """The trial to promote: the one whose error is expected to be the least after a finale, of
        those whose next rung ends in time. While the exploration goes on it is one of the best
        third of all, by that; None where there is none."""
        if not paused:
            return None
        epoch, horizons = epoch_seconds(paused), self._horizons(paused)
        order = np.argsort(log_errors(self._space, paused, horizons), kind="stable")
        for index in order if self.over else order[: max(1, len(order) // REDUCTION)]:
            rung = next_rung(paused[index].epochs, paused[index].last_epoch)
            leg = epoch[index] * (rung - paused[index].last_epoch)
            if leg <= self._spare and (self.over or horizons[index] >= rung):
                return paused[index]
        return None

    def forecast(self) -> Forecast:
        """The surrogate of accuracies after a finale of full length."""
        seen = [each for each in self._history.sample() if each.last_epoch or each.failed]
        reached = 1 - np.exp(log_errors(self._space, seen, self._horizons(seen)))
        accuracies = np.where([each.failed for each in seen], WORST, reached)
        running = list(self._history.running.values())
        return final_forecast(self._forecaster, seen, accuracies, running)

    def _horizons(self, seen: Sequence[ObservedTrial[D]]) -> Array:
        """Epochs (n,) of a finale of full length of the designs of trials."""
        most = np.full(len(seen), self._space.max_epochs)
        return self._plan.horizon(epoch_seconds(seen), most)

    def horizon(self, rates: Array, most: Array) -> Array:
        """Epochs (n,), at most `most`, that a finale has for designs with `rates` worker-seconds of
        training per epoch."""
        return self._plan.horizon(rates * self._beside, most)

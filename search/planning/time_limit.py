"""The limit of time at one decision: which designs may begin, and which trials may go on."""

from collections.abc import Sequence
from typing import Generic

import numpy as np

from models.rungs import REDUCTION, next_rung
from search.planning.budget_plan import MARGIN, BudgetPlan
from search.surrogate.cost_model import fitted
from search.surrogate.curve_kernel import Array
from search.surrogate.final_forecast import final_forecast
from search.surrogate.forecast import Forecast, Forecaster
from search.surrogate.power_law import log_errors
from search.surrogate.run_history import WORST, ObservedTrial, RunHistory, epoch_seconds
from search.terms.actions import D, Space


class TimeLimit(Generic[D]):
    """What a lane may do in the worker-seconds that it has to spare."""

    def __init__(
        self,
        plan: BudgetPlan,
        spare: float,
        over: bool,
        space: Space[D],
        history: RunHistory[D],
    ) -> None:
        """Once the exploration is `over` designs begin that no finale is left for, if they fit."""
        self._plan, self._spare, self.over, self._space = plan, spare * (1 - MARGIN), over, space
        self._history = history
        timed = [each for each in history.sample() if each.seconds > 0]
        self._model = fitted(space, timed)
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
        if self._model is None:
            return True
        epoch = float(self._model.predict(self._space.work(design)[None])[0]) * self._beside
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
        epoch = epoch_seconds(paused)
        horizons = self._plan.horizon(epoch, np.full(len(paused), self._space.max_epochs))
        order = np.argsort(self._final_errors(paused), kind="stable")
        for index in order if self.over else order[: max(1, len(order) // REDUCTION)]:
            rung = next_rung(paused[index].epochs, paused[index].last_epoch)
            leg = epoch[index] * (rung - paused[index].last_epoch)
            if leg <= self._spare and (self.over or horizons[index] >= rung):
                return paused[index]
        return None

    def forecast(self, forecaster: Forecaster[D]) -> Forecast:
        """The surrogate of accuracies after a finale of full length."""
        seen = [each for each in self._history.sample() if each.last_epoch or each.failed]
        reached = 1 - np.exp(self._final_errors(seen))
        accuracies = np.where([each.failed for each in seen], WORST, reached)
        running = list(self._history.running.values())
        return final_forecast(forecaster, seen, accuracies, running)

    def _final_errors(self, seen: Sequence[ObservedTrial[D]]) -> Array:
        """Logarithms (n,) of the errors that trials' designs are expected to have after a finale of
        full length."""
        most = np.full(len(seen), self._space.max_epochs)
        horizons = self._plan.horizon(epoch_seconds(seen), most)
        return log_errors(self._space, seen, horizons)

    def horizon(self, rates: Array, most: Array) -> Array:
        """Epochs (n,), at most `most`, that a finale has for designs with `rates` worker-seconds of
        training per epoch."""
        return self._plan.horizon(rates * self._beside, most)

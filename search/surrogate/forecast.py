"""Learning-curve extrapolation: fits the surrogate to a run history, and predicts accuracy by
epoch, seconds per epoch, and the second objective, for trials and new designs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from search.surrogate import curve_kernel, kernel_fit
from search.surrogate.cost_model import CostModel, fitted
from search.surrogate.curve_kernel import Array, Hyperparameters
from search.surrogate.gaussian_process import Covariance, GaussianProcess
from search.surrogate.output_warping import OutputWarping
from search.surrogate.run_history import Observation, ObservedTrial, RunHistory
from search.terms.actions import D, Space

LEAST_TRIALS = 3
"""Trials with results that are needed before the surrogate is used."""
REFIT = 1.2
"""The hyperparameters are fitted again when the number of results has grown by this factor."""
MOST_RUNNING = 100
"""Running trials that are included as pending points (kriging believer), the newest."""


class LogNormalModel:
    """A Gaussian process over the logarithms of a positive quantity of designs, such as seconds per
    epoch; its hyperparameters are the prior's, not fitted."""

    def __init__(self, designs: Array, values: Array) -> None:
        """Observed values (n,) of designs (n, d)."""
        logs = np.log(values)
        self._mean, self._spread = float(logs.mean()), float(logs.std()) + 1e-9
        standard = (logs - self._mean) / self._spread
        known = Covariance.of(curve_kernel.initial(designs), designs, np.zeros(len(logs)))
        self._model = GaussianProcess(known, standard)

    def predict(self, designs: Array) -> Array:
        """The posterior medians (m,) for designs (m, d)."""
        expected = self._model.expected(designs, np.zeros(len(designs)))
        return np.exp(self._mean + self._spread * expected)


@dataclass(frozen=True)
class Forecast:
    """The surrogate at a moment: a Gaussian process over warped accuracies, and the warping."""

    curves: GaussianProcess
    """Over learning curves, in warped accuracies (scores)."""
    warp: OutputWarping
    """From accuracies to scores, and back."""


def with_believed(
    curves: GaussianProcess, scores: Array, places: Array, times: Array
) -> GaussianProcess:
    """`curves`, of warped accuracies `scores`, as if pending points with features `places` (n, d)
    at `times` (n,) had their expected values (kriging believer)."""
    expected = curves.expected(places, times)
    known = curves.covariance.extended(curves.covariance.kernel.scaled(places), times)
    return GaussianProcess(known, np.concatenate([scores, expected]))


class Forecaster(Generic[D]):
    """Fits the surrogate to a run history, incrementally; its forecasts are a deterministic
    function of the events in that history."""

    def __init__(self, space: Space[D], history: RunHistory[D]) -> None:
        self._space, self.history = space, history
        self._snapshot: list[Observation[D]] = []
        """The observations from which the hyperparameters are fitted, at the next forecast."""
        self._fitted: Hyperparameters | None = None
        self._next_fit = 0
        self._known: Covariance | None = None
        """The factorised covariance of the history's observations so far; None before a fit."""
        self._choices = 0
        """The history's `choices` for which that covariance was made."""
        self._places: dict[D, Array] = {}

    @property
    def ready(self) -> bool:
        """Whether there are enough results for a forecast."""
        return bool(self._snapshot)

    def told(self) -> None:
        """The history has a new result: marks the hyperparameters for a refit where it is due."""
        if self.history.results < self._next_fit:
            return
        if len(self.history.sample()) >= LEAST_TRIALS:
            self._snapshot, self._fitted = list(self.history.observations), None
            self._next_fit = int(self.history.results * REFIT) + 1

    def places(self, designs: Iterable[D]) -> Array:
        """Feature vectors (n, d) of designs."""
        return np.array([self._space.coordinates(design) for design in designs], float)

    def times(self, epochs: Sequence[float] | Array) -> Array:
        """Epochs as the kernel's times (n,), on a logarithmic scale: 0 for the first epoch, 1 for
        the last one of the longest training."""
        longest = max(np.log(self._space.max_epochs), 1e-9)
        return np.log(np.asarray(epochs, float)) / longest

    def now(self) -> Forecast:
        """The forecast from the history's observations. Running trials are included as if they had
        reached their expected values (kriging believer), so that the next choice differs."""
        if self._fitted is None:
            warp = self._warp(self._snapshot)
            self._fitted = kernel_fit.fit(*self._points(self._snapshot), warp.scores)
            self._known = None
        known = self._learned(self._fitted)
        warp = self._warp(self.history.observations)
        return Forecast(self._with_running(GaussianProcess(known, warp.scores), warp.scores), warp)

    def _warp(self, observations: Sequence[Observation[D]]) -> OutputWarping:
        """The warping of all observations; its incumbent is the best result among them."""
        accuracies = np.array([observation.accuracy for observation in observations])
        is_result = self._space.is_result
        return OutputWarping(
            accuracies,
            [is_result(observation.design, observation.epoch) for observation in observations],
        )

    def _learned(self, fitted: Hyperparameters) -> Covariance:
        """The covariance of all observations. Those of the last subsample are factorised at once,
        later ones added one by one: so it is the same to the last bit, whenever it is computed."""
        history = self.history
        known = self._known
        if known is None or self._choices != history.choices:
            together = history.observations[: max(history.chosen_together, 1)]
            known, self._choices = Covariance.of(fitted, *self._points(together)), history.choices
        for observation in history.observations[len(known) :]:
            designs, times = self._points([observation])
            known = known.extended(known.kernel.scaled(designs), times)
        self._known = known
        return known

    def _with_running(self, curves: GaussianProcess, scores: Array) -> GaussianProcess:
        running = list(self.history.running.values())[-MOST_RUNNING:]
        if not running:
            return curves
        times = self.times([each.to_epoch for each in running])
        return with_believed(curves, scores, self.places_of(running), times)

    def timed(self) -> list[ObservedTrial[D]]:
        """Trials whose epochs were timed."""
        return [each for each in self.history.sample() if each.seconds > 0]

    def cost_model(self) -> CostModel | None:
        """The model of seconds of training per epoch by their work; None where no trial was timed,
        or the space does not know of work."""
        return fitted(self._space, self.timed())

    def rates(self) -> LogNormalModel:
        """The model of seconds of training per epoch for a space that does not know of work."""
        seen, timed = self.history.sample(), self.timed()
        rates = [each.seconds / each.last_epoch for each in timed] or [1.0]
        return LogNormalModel(self.places_of(timed or seen[:1]), np.array(rates))

    def measures(self) -> LogNormalModel | None:
        """The model of the second objective; None where no trial has a measured value."""
        measured = [each for each in self.history.sample() if each.measure]
        if not measured:
            return None
        values = np.array([each.measure for each in measured], float)
        return LogNormalModel(self.places_of(measured), values)

    def _points(self, observations: Sequence[Observation[D]]) -> tuple[Array, Array]:
        designs = [observation.design for observation in observations]
        return self._known_places(designs), self.times(
            [observation.epoch for observation in observations]
        )

    def places_of(self, seen: Sequence[ObservedTrial[D]]) -> Array:
        """Feature vectors (n, d) of the designs of trials, cached."""
        return self._known_places([each.design for each in seen])

    def _known_places(self, designs: Sequence[D]) -> Array:
        if len(self._places) > 4096:
            self._places.clear()
        for design in designs:
            if design not in self._places:
                self._places[design] = self._space.coordinates(design)
        return np.array([self._places[design] for design in designs], float)

"""What trials and designs will come to: accuracy by epoch, seconds an epoch, with uncertainty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from search.surrogate import curve_kernel, kernel_fit
from search.surrogate.curve_kernel import Array, Hyperparameters
from search.surrogate.gaussian_process import Covariance, GaussianProcess
from search.surrogate.output_warping import OutputWarping
from search.surrogate.run_history import Observation, ObservedTrial, RunHistory
from search.terms.actions import D, Space

LEAST_TRIALS = 3
"""With results, before anything is forecast."""
REFIT = 1.2
"""The hyperparameters are fitted again when there are so many times as many results."""
MOST_RUNNING = 100
"""Running trials that the model minds."""


class LogNormalModel:
    """A process over the logarithms of positive values of designs, such as seconds an epoch."""

    def __init__(self, designs: Array, values: Array) -> None:
        """Values (n), of designs (n, d)."""
        logs = np.log(values)
        self._mean, self._spread = float(logs.mean()), float(logs.std()) + 1e-9
        standard = (logs - self._mean) / self._spread
        known = Covariance.of(curve_kernel.initial(designs), designs, np.zeros(len(logs)))
        self._model = GaussianProcess(known, standard)

    def predict(self, designs: Array) -> Array:
        """The medians for designs (m, d)."""
        expected = self._model.expected(designs, np.zeros(len(designs)))
        return np.exp(self._mean + self._spread * expected)


@dataclass(frozen=True)
class Forecast:
    """Forecasts from all that is known at a moment."""

    curves: GaussianProcess
    """Of scores."""
    warp: OutputWarping
    """From accuracies to scores, and back."""


class Forecaster(Generic[D]):
    """Makes forecasts from a history; what it gives is a function of what the history was told."""

    def __init__(self, space: Space[D], history: RunHistory[D]) -> None:
        self._space, self._history = space, history
        self._snapshot: list[Observation[D]] = []
        """From which the hyperparameters are fitted, when they are next wanted."""
        self._fitted: Hyperparameters | None = None
        self._next_fit = 0
        self._known: Covariance | None = None
        """Of the observations that were learned, since they were chosen together."""
        self._choices = 0
        """How often they had been chosen."""
        self._places: dict[D, Array] = {}

    @property
    def ready(self) -> bool:
        """Whether enough is known."""
        return bool(self._snapshot)

    def told(self) -> None:
        """The history has a further result."""
        if self._history.results < self._next_fit:
            return
        if len(self._history.sample()) >= LEAST_TRIALS:
            self._snapshot, self._fitted = list(self._history.observations), None
            self._next_fit = int(self._history.results * REFIT) + 1

    def places(self, designs: Iterable[D]) -> Array:
        """Coordinates (n, d) of designs."""
        return np.array([self._space.coordinates(design) for design in designs], float)

    def times(self, epochs: Sequence[float] | Array) -> Array:
        """Epochs as the model counts them: 0 for the first, 1 for the last of the longest."""
        longest = max(np.log(self._space.max_epochs), 1e-9)
        return np.log(np.asarray(epochs, float)) / longest

    def now(self) -> Forecast:
        """The forecast from what the history holds, running trials among it: they are minded as if
        they came to what they are expected to, so that the next does not go the same way."""
        if self._fitted is None:
            warp = self._warp(self._snapshot)
            self._fitted = kernel_fit.fit(*self._points(self._snapshot), warp.scores)
            self._known = None
        known = self._learned(self._fitted)
        warp = self._warp(self._history.observations)
        return Forecast(self._with_running(GaussianProcess(known, warp.scores), warp.scores), warp)

    def _warp(self, observations: Sequence[Observation[D]]) -> OutputWarping:
        """All observations are learned from; what is to be surpassed is the best result among them."""
        accuracies = np.array([observation.accuracy for observation in observations])
        is_result = self._space.is_result
        return OutputWarping(
            accuracies,
            [is_result(observation.design, observation.epoch) for observation in observations],
        )

    def _learned(self, fitted: Hyperparameters) -> Covariance:
        """Of all observations. Those that were chosen together are learned at once, later ones one by
        one: so it is the same to the last bit, whenever it is asked for."""
        history = self._history
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
        running = list(self._history.running.values())[-MOST_RUNNING:]
        if not running:
            return curves
        places = self.places_of(running)
        times = self.times([each.to_epoch for each in running])
        expected = curves.expected(places, times)
        known = curves.covariance.extended(curves.covariance.kernel.scaled(places), times)
        return GaussianProcess(known, np.concatenate([scores, expected]))

    def rates(self) -> LogNormalModel:
        """Forecasts of seconds an epoch."""
        seen = self._history.sample()
        timed = [each for each in seen if each.seconds > 0]
        rates = [each.seconds / each.last_epoch for each in timed] or [1.0]
        return LogNormalModel(self.places_of(timed or seen[:1]), np.array(rates))

    def measures(self) -> LogNormalModel | None:
        """Forecasts of the second objective, where it is measured."""
        measured = [each for each in self._history.sample() if each.measure]
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
        """Coordinates (n, d) of trials' designs, worked out once while they are learned from."""
        return self._known_places([each.design for each in seen])

    def _known_places(self, designs: Sequence[D]) -> Array:
        if len(self._places) > 4096:
            self._places.clear()
        for design in designs:
            if design not in self._places:
                self._places[design] = self._space.coordinates(design)
        return np.array([self._places[design] for design in designs], float)

"""What trials and designs will come to: accuracy by epoch, seconds an epoch, with uncertainty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search import curve_model
from search.actions import D, Space
from search.curve_model import CurveModel, Hyperparameters
from search.history import History, Seen
from search.warping import Warp

Array = NDArray[np.float64]

LEAST_TRIALS = 3
"""With results, before anything is forecast."""
REFIT = 1.2
"""The hyperparameters are fitted again when there are so many times as many results."""
MOST_RUNNING = 100
"""Running trials that the model minds."""
MOST_FAILURES = 30
"""Refused designs that it minds: as ones that fail."""


@dataclass(frozen=True)
class _Results:
    """A row a result."""

    designs: Array
    times: Array
    accuracies: Array


class Positive:
    """A process over the logarithms of positive values of designs, such as seconds an epoch."""

    def __init__(self, designs: Array, values: Array) -> None:
        """Values (n), of designs (n, d)."""
        logs = np.log(values)
        self._mean, self._spread = float(logs.mean()), float(logs.std()) + 1e-9
        standard = (logs - self._mean) / self._spread
        prior = curve_model.initial(designs)
        self._model = CurveModel(prior, designs, np.zeros(len(logs)), standard)

    def predict(self, designs: Array) -> Array:
        """The medians for designs (m, d)."""
        mean, _ = self._model.predict(designs, np.zeros(len(designs)))
        return np.exp(self._mean + self._spread * mean)


@dataclass(frozen=True)
class Forecast:
    """Forecasts from all that is known at a moment."""

    curves: CurveModel
    """Of scores."""
    warp: Warp
    """From accuracies to scores, and back."""
    rates: Positive
    """Of seconds an epoch."""
    measures: Positive | None
    """Of the second objective, where it is measured."""


class Forecaster(Generic[D]):
    """Makes forecasts from a history; what it gives is a function of what the history was told."""

    def __init__(self, space: Space[D], history: History[D]) -> None:
        self._space, self._history = space, history
        self._snapshot: _Results | None = None
        """From which the hyperparameters are fitted, when they are next wanted."""
        self._fitted: Hyperparameters | None = None
        self._next_fit = 0
        self._places: dict[D, Array] = {}

    @property
    def ready(self) -> bool:
        """Whether enough is known."""
        return self._snapshot is not None

    def told(self) -> None:
        """The history has a further result."""
        if self._history.results < self._next_fit:
            return
        seen = self._history.sample()
        if len(seen) >= LEAST_TRIALS:
            self._snapshot, self._fitted = self._results(seen), None
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
        assert self._snapshot is not None
        if self._fitted is None:
            self._fitted = self._fit(self._snapshot)
        seen = self._history.sample()
        known = self._results(seen)
        warp = Warp(known.accuracies)
        curves = CurveModel(self._fitted, known.designs, known.times, warp.scores)
        timed = [each for each in seen if each.seconds > 0]
        rates = [each.seconds / each.last_epoch for each in timed] or [1.0]
        measured = [each for each in seen if each.measure]
        return Forecast(
            self._with_running(curves, known, warp),
            warp,
            Positive(self.places_of(timed or seen[:1]), np.array(rates)),
            Positive(self.places_of(measured), np.array([each.measure for each in measured], float))
            if measured
            else None,
        )

    @staticmethod
    def _fit(results: _Results) -> Hyperparameters:
        scores = Warp(results.accuracies).scores
        return curve_model.fit(results.designs, results.times, scores)

    def _with_running(self, curves: CurveModel, known: _Results, warp: Warp) -> CurveModel:
        running = list(self._history.running.values())[-MOST_RUNNING:]
        if not running:
            return curves
        assert self._fitted is not None
        designs = self.places_of(running)
        times = self.times([each.to_epoch for each in running])
        expected, _ = curves.predict(designs, times)
        return CurveModel(
            self._fitted,
            np.concatenate([known.designs, designs]),
            np.concatenate([known.times, times]),
            np.concatenate([warp.scores, expected]),
        )

    def _results(self, seen: Sequence[Seen[D]]) -> _Results:
        rows = [(each, epoch, accuracy) for each in seen for epoch, accuracy in each.results]
        failed = list(self._history.refused)[-MOST_FAILURES:]
        worst = min(accuracy for _, _, accuracy in rows)
        designs = [*self.places_of([each for each, _, _ in rows]), *self.places(failed)]
        epochs = [epoch for _, epoch, _ in rows] + [1] * len(failed)
        accuracies = [accuracy for _, _, accuracy in rows] + [worst] * len(failed)
        return _Results(np.array(designs), self.times(epochs), np.array(accuracies, float))

    def places_of(self, seen: Sequence[Seen[D]]) -> Array:
        """Coordinates (n, d) of trials' designs, worked out once while they are learned from."""
        if len(self._places) > 4096:
            self._places.clear()
        for each in seen:
            if each.design not in self._places:
                self._places[each.design] = self._space.coordinates(each.design)
        return np.array([self._places[each.design] for each in seen], float)

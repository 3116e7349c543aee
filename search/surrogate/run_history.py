"""The run history of a strategy: all observed trials, those paused at each rung, and the bounded
subsample of observations that the surrogate learns from."""

import bisect
import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal

import numpy as np
from numpy.typing import NDArray

from models.rungs import next_rung, rungs_of
from search.space.random_sampling import random_for
from search.terms.actions import D
from search.terms.final_trials import is_final

REFRESH = 25
"""The subsample is drawn anew after so many further results."""
MOST_RESULTS = 300
"""Results in a newly drawn subsample, at most."""
MOST_CANDIDATES = 40
"""Paused trials of each rung that are candidates for promotion, the best."""
WORST = 0.0
"""The accuracy that is assigned to a failed or diverged trial."""


@dataclass
class ObservedTrial(Generic[D]):
    """A trial as the strategy has observed it."""

    trial: int
    design: D
    epochs: int
    """The last epoch of its design."""
    to_epoch: int
    """The rung or end to which it is trained now."""
    name: str = ""
    last_epoch: int = 0
    state: Literal["running", "paused", "ended"] = "running"
    failed: bool = False
    results: list[tuple[int, float]] = field(default_factory=list)
    """(epoch, accuracy) at each rung reached; of a failed trial also at its failure."""
    newest: float = WORST
    """The accuracy of its newest epoch."""
    best: float | None = None
    """The best accuracy of epochs that are results (`Space.is_result`); None while none is."""
    seconds: float = 0.0
    """Worker-seconds of training so far."""
    evaluation: float = 0.0
    """Worker-seconds of evaluation so far."""
    measure: float | None = None
    """Its value of the second objective, where that is not its training cost."""

    @property
    def epoch_seconds(self) -> float:
        """Worker-seconds that an epoch takes, its evaluation included."""
        return (self.seconds + self.evaluation) / max(self.last_epoch, 1)

    @property
    def finished(self) -> bool:
        """Whether it was trained to its last epoch."""
        return self.last_epoch >= self.epochs

    @property
    def shown(self) -> float:
        """Its best result, or its newest accuracy while it has none."""
        return self.newest if self.best is None else self.best


@dataclass(frozen=True)
class Observation(Generic[D]):
    """A training point of the surrogate: a design's accuracy (0..1) at a rung or at its failure,
    whether that is a result or not."""

    design: D
    epoch: int
    accuracy: float


class RunHistory(Generic[D]):
    """All observed trials by number: a deterministic function of the sequence of events and the
    seed."""

    def __init__(
        self, seed: int, is_result: Callable[[D, int], bool] = lambda design, epoch: True
    ) -> None:
        """`is_result` is that of the `Space` of search/terms/actions.py."""
        self._seed, self._is_result = seed, is_result
        self.trials: dict[int, ObservedTrial[D]] = {}
        self.running: dict[int, ObservedTrial[D]] = {}
        self.controls: list[ObservedTrial[D]] = []
        """Trials that began with a leg past a rung, whatever they show there: drawn by chance
        alone, where paused ones were chosen by what first rungs had shown."""
        self.results = self.finished = 0
        """Counts of accuracies at rungs, and of trials that completed their last epoch."""
        self.epochs_given = 0
        """Epochs allotted to trials, trained or not, but for final trials."""
        self.epochs_begun = 0
        """Those of them that lead to each trial's first rung."""
        self.epochs_controlled = 0
        """Those of them that were given to control trials when they were chosen."""
        self._paused: dict[int, list[tuple[float, int]]] = {}
        """By rung: (accuracy, number) of the trials paused there, ascending."""
        self._chosen: dict[int, None] = {}
        self._since: dict[int, None] = {}
        self.observations: list[Observation[D]] = []
        """The surrogate's training data: the newest subsample, and all observations since."""
        self.chosen_together = self.choices = 0
        """The size of the newest subsample, and the number of subsamples drawn so far."""

    def start(self, seen: ObservedTrial[D]) -> None:
        """A trial has started."""
        self.trials[seen.trial] = self.running[seen.trial] = seen
        if is_final(seen.name):
            return
        self.epochs_given += seen.to_epoch
        if not seen.name and seen.to_epoch > next_rung(seen.epochs, 0):
            self.controls.append(seen)
            self.epochs_controlled += seen.to_epoch
        else:
            self.epochs_begun += seen.to_epoch

    def resume(self, trial: int, to_epoch: int) -> None:
        """A paused trial has been promoted."""
        seen = self.trials[trial]
        self._unpause(seen)
        if to_epoch > next_rung(seen.epochs, seen.last_epoch):
            self.epochs_controlled += to_epoch - seen.to_epoch
        self.epochs_given += to_epoch - seen.to_epoch
        seen.to_epoch, seen.state = to_epoch, "running"
        self.running[trial] = seen

    def tell(
        self,
        trial: int,
        epoch: int,
        accuracy: float | None,
        seconds: float,
        evaluation: float = 0.0,
    ) -> None:
        """Adds an epoch's result: accuracy (0..1, None if it diverged), worker-seconds of training,
        and of evaluation. A trial pauses at its target epoch, and ends at its last one."""
        seen = self.trials[trial]
        seen.last_epoch, seen.newest = epoch, WORST if accuracy is None else accuracy
        if accuracy is not None and self._is_result(seen.design, epoch):
            seen.best = accuracy if seen.best is None else max(seen.best, accuracy)
        seen.seconds += seconds
        seen.evaluation += evaluation
        if epoch in rungs_of(seen.epochs):
            seen.results.append((epoch, seen.newest))
            self._learn(trial)
        if epoch >= seen.epochs:
            self.end(trial, failed=accuracy is None)
        elif epoch >= seen.to_epoch:
            seen.state = "paused"
            self.running.pop(trial, None)
            bisect.insort(self._paused.setdefault(epoch, []), (seen.newest, trial))

    def end(self, trial: int, *, failed: bool = False) -> None:
        """A trial has ended for good."""
        seen = self.trials[trial]
        if seen.state == "paused":
            self._unpause(seen)
        if failed:
            seen.failed = True
            if not seen.results or seen.results[-1] != (seen.last_epoch, WORST):
                seen.results.append((max(1, seen.last_epoch), WORST))
                self._learn(trial)
        self.finished += seen.finished and seen.state != "ended" and not failed
        seen.state = "ended"
        self.running.pop(trial, None)

    def paused(self, epoch: int) -> list[tuple[float, int]]:
        """(accuracy, number) of the trials paused at rung `epoch`, the best last."""
        return self._paused.get(epoch, [])

    def with_rungs_ahead(self) -> list[ObservedTrial[D]]:
        """The paused trials that have more than one rung ahead."""
        paused = (self.trials[trial] for there in self._paused.values() for _, trial in there)
        return [each for each in paused if next_rung(each.epochs, each.last_epoch) < each.epochs]

    @property
    def rungs_with_paused(self) -> list[int]:
        """Rungs with paused trials, the highest first."""
        return sorted((epoch for epoch, there in self._paused.items() if there), reverse=True)

    def candidates(self) -> list[ObservedTrial[D]]:
        """The candidates for promotion: the best paused trials of each rung, the best first."""
        best = (self._paused[epoch][-MOST_CANDIDATES:] for epoch in self.rungs_with_paused)
        return [self.trials[trial] for there in best for _, trial in reversed(there)]

    def sample(self) -> list[ObservedTrial[D]]:
        """The trials of the subsample: all with results while there are few, then candidates for
        promotion, the best and random others; and those with results since it was drawn."""
        return [self.trials[trial] for trial in {**self._chosen, **self._since}]

    def _learn(self, trial: int) -> None:
        known = trial in self._chosen or trial in self._since
        observations = _observations_of(self.trials[trial])
        self.observations += observations[-1:] if known else observations
        self._since[trial] = None
        self.results += 1
        if self.results % REFRESH == 0:
            # Now, not when it is needed: so it does not depend on when forecasts are made.
            self._choose_observations()

    def _choose_observations(self) -> None:
        self._chosen, self._since = self._choose(MOST_RESULTS), {}
        self.observations = [
            each for trial in self._chosen for each in _observations_of(self.trials[trial])
        ]
        self.chosen_together = len(self.observations)
        self.choices += 1

    def _choose(self, most: int) -> dict[int, None]:
        with_results = [seen for seen in self.trials.values() if seen.results]
        chosen: dict[int, None] = {}
        if self.results <= most:
            _take(chosen, with_results, most)
            return chosen
        random = random_for(self._seed, self.results)
        others = random.sample(with_results, min(len(with_results), most))
        best = heapq.nlargest(
            most, with_results, key=lambda seen: (seen.best is not None, seen.shown, seen.trial)
        )
        left = _take(chosen, self.candidates(), most // 2)
        left = _take(chosen, best, left + most // 4)
        _take(chosen, others, left + most // 4)
        return chosen

    def _unpause(self, seen: ObservedTrial[D]) -> None:
        there = self._paused[seen.last_epoch]
        del there[bisect.bisect_left(there, (seen.newest, seen.trial))]


def epoch_seconds(seen: Sequence[ObservedTrial[Any]]) -> NDArray[np.float64]:
    """Worker-seconds (n,) of an epoch of trials, with its evaluation."""
    return np.array([each.epoch_seconds for each in seen])


def _observations_of(seen: ObservedTrial[D]) -> list[Observation[D]]:
    return [Observation(seen.design, epoch, accuracy) for epoch, accuracy in seen.results]


def _take(chosen: dict[int, None], seen: Iterable[ObservedTrial[D]], most: int) -> int:
    """Adds trials to `chosen` up to `most` results in all; returns how many are left."""
    for each in seen:
        if each.trial not in chosen:
            if len(each.results) > most:
                break
            chosen[each.trial] = None
            most -= len(each.results)
    return most

"""What a strategy has been told, and the part of it that a model learns from."""

import bisect
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal

from search.space.random_sampling import random_for
from search.terms.actions import D
from search.terms.rungs import rungs_of

REFRESH = 25
"""After so many further results the part that is learned from is chosen anew."""
MOST_RESULTS = 300
"""In that part."""
MOST_CANDIDATES = 40
"""Of each rung, that are candidates to go on."""
WORST = 0.0
"""The accuracy of a design that fails."""


@dataclass
class ObservedTrial(Generic[D]):
    """A trial as a strategy knows it."""

    trial: int
    design: D
    epochs: int
    """Of its design."""
    to_epoch: int
    name: str = ""
    last_epoch: int = 0
    state: Literal["running", "paused", "ended"] = "running"
    failed: bool = False
    results: list[tuple[int, float]] = field(default_factory=list)
    """Accuracies at its rungs, by epoch; the last one is that of a failure."""
    newest: float = WORST
    best: float | None = None
    """The best accuracy of the epochs that are results; None while none is."""
    seconds: float = 0.0
    """Worker-seconds of training so far."""
    measure: float | None = None
    """What it has of the second objective, where that is not its cost."""

    @property
    def finished(self) -> bool:
        """Whether it was trained to its last epoch."""
        return self.last_epoch >= self.epochs

    @property
    def shown(self) -> float:
        """Its best result, or where it stands while it has none."""
        return self.newest if self.best is None else self.best


@dataclass(frozen=True)
class Observation(Generic[D]):
    """What a model learns from: what a trial had at a rung, a result or on its way to one."""

    design: D
    epoch: int
    accuracy: float


class RunHistory(Generic[D]):
    """Trials by number. A function of what was told, in its order, and of the seed."""

    def __init__(
        self, seed: int, is_result: Callable[[D, int], bool] = lambda design, epoch: True
    ) -> None:
        """`is_result` tells of a design and an epoch what `Space` of search.terms.actions does."""
        self._seed, self._is_result = seed, is_result
        self.trials: dict[int, ObservedTrial[D]] = {}
        self.running: dict[int, ObservedTrial[D]] = {}
        self.results = self.finished = 0
        """Accuracies at rungs; trials that were trained to their ends."""
        self.epochs_given = 0
        """Epochs that trials were given, trained or not."""
        self.epochs_begun = 0
        """Of these the ones up to each trial's first rung."""
        self._paused: dict[int, list[tuple[float, int]]] = {}
        """By epoch: accuracy and number of the trials that wait there, in order."""
        self._chosen: dict[int, None] = {}
        self._since: dict[int, None] = {}
        self.observations: list[Observation[D]] = []
        """What is learned from: what was chosen together last, and what was told since."""
        self.chosen_together = self.choices = 0
        """How many of the observations that is, and how often they were chosen."""

    def start(self, seen: ObservedTrial[D]) -> None:
        """A trial began."""
        self.trials[seen.trial] = self.running[seen.trial] = seen
        self.epochs_given += seen.to_epoch
        self.epochs_begun += seen.to_epoch

    def resume(self, trial: int, to_epoch: int) -> None:
        """A paused trial goes on."""
        seen = self.trials[trial]
        self._unpause(seen)
        self.epochs_given += to_epoch - seen.to_epoch
        seen.to_epoch, seen.state = to_epoch, "running"
        self.running[trial] = seen

    def tell(self, trial: int, epoch: int, accuracy: float | None, seconds: float) -> None:
        """An epoch's accuracy and cost; a trial at its target pauses, at its end it has ended."""
        seen = self.trials[trial]
        seen.last_epoch, seen.newest = epoch, WORST if accuracy is None else accuracy
        if accuracy is not None and self._is_result(seen.design, epoch):
            seen.best = accuracy if seen.best is None else max(seen.best, accuracy)
        seen.seconds += seconds
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
        """A trial is over."""
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
        """Accuracy and number of the trials that wait at `epoch`, the best last."""
        return self._paused.get(epoch, [])

    @property
    def rungs_with_paused(self) -> list[int]:
        """Epochs at which trials wait, the highest first."""
        return sorted((epoch for epoch, there in self._paused.items() if there), reverse=True)

    def candidates(self) -> list[ObservedTrial[D]]:
        """The best of the paused trials of each rung."""
        best = (self._paused[epoch][-MOST_CANDIDATES:] for epoch in self.rungs_with_paused)
        return [self.trials[trial] for there in best for _, trial in reversed(there)]

    def sample(self) -> list[ObservedTrial[D]]:
        """Trials with results to learn from: all while there are few, then the candidates, the
        best and a random part of the others; and those that results came from lately."""
        return [self.trials[trial] for trial in {**self._chosen, **self._since}]

    def _learn(self, trial: int) -> None:
        known = trial in self._chosen or trial in self._since
        observations = _observations_of(self.trials[trial])
        self.observations += observations[-1:] if known else observations
        self._since[trial] = None
        self.results += 1
        if self.results % REFRESH == 0:
            # Now, not when it is asked for: so it is the same however often that is.
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


def _observations_of(seen: ObservedTrial[D]) -> list[Observation[D]]:
    return [Observation(seen.design, epoch, accuracy) for epoch, accuracy in seen.results]


def _take(chosen: dict[int, None], seen: Iterable[ObservedTrial[D]], most: int) -> int:
    """Adds trials until they have `most` results; how many are left."""
    for each in seen:
        if each.trial not in chosen:
            if len(each.results) > most:
                break
            chosen[each.trial] = None
            most -= len(each.results)
    return most

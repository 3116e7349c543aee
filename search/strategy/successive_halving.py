"""Asynchronous successive halving with promotion (ASHA): picks the paused trial to promote by rank.

A trial is promoted from its rung when it is among the best 1/reduction of all that reached it (Li
et al., arXiv 1810.05934); none is ever stopped. With two objectives trials are ranked by
non-dominated sorting and crowding distance (MO-ASHA, Schmucker et al., arXiv 2106.12639).
"""

import bisect
from typing import Generic

from models.rungs import REDUCTION
from search.strategy.objectives import second_objective
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.actions import D
from search.terms.front import crowding, fronts

NEWEST = 500
"""With two objectives, the newest trials of a rung that are compared, at most."""


class SuccessiveHalving(Generic[D]):
    """The promotion rule of ASHA, over the rungs of a run history."""

    def __init__(
        self, history: RunHistory[D], second: str = "", reduction: int = REDUCTION
    ) -> None:
        self._history, self._second, self._reduction = history, second, reduction
        self._came: dict[int, list[float]] = {}
        """By rung: the accuracies of all trials that reached it, ascending."""
        self._newest: dict[int, list[ObservedTrial[D]]] = {}
        """By rung: the newest trials that reached it; with two objectives only."""

    def told(self, trial: int) -> None:
        """Adds a trial's newest result at a rung."""
        seen = self._history.trials[trial]
        epoch, accuracy = seen.results[-1]
        bisect.insort(self._came.setdefault(epoch, []), accuracy)
        if self._second:
            self._newest[epoch] = [*self._newest.get(epoch, []), seen][-NEWEST:]

    def promotable(self) -> int | None:
        """The trial to promote, from the highest rung that has one; None where no rung has."""
        for epoch in self._history.rungs_with_paused:
            trial = self._by_fronts(epoch) if self._second else self._by_accuracy(epoch)
            if trial is not None:
                return trial
        return None

    def best_paused(self) -> int:
        """The most accurate paused trial of the highest rung, whether it is promotable or not."""
        return self._history.paused(self._history.rungs_with_paused[0])[-1][1]

    def _by_accuracy(self, epoch: int) -> int | None:
        came = self._came[epoch]
        accuracy, trial = self._history.paused(epoch)[-1]
        better = len(came) - bisect.bisect_right(came, accuracy)
        return trial if better < len(came) // self._reduction else None

    def _by_fronts(self, epoch: int) -> int | None:
        there = self._newest[epoch]
        most = len(there) // self._reduction
        points = [
            (dict(seen.results)[epoch], second_objective(seen, epoch, self._second))
            for seen in there
        ]
        ranked: list[int] = []
        for front in fronts(points):
            if len(ranked) >= most:
                break
            room = crowding([points[i] for i in front])
            ranked += [
                i for _, i in sorted(zip(room, front, strict=True), key=lambda e: (-e[0], e[1]))
            ]
        waiting = (there[i] for i in ranked[:most])
        return next(
            (s.trial for s in waiting if s.state == "paused" and s.last_epoch == epoch), None
        )

"""The finale of a budget: trains the most promising designs once more, in one learning-rate cycle
that is as long as the time that is left.

A design is chosen by the error that a power law forecasts for so many epochs, since designs are
compared that would be trained for different numbers of them.
"""

from functools import cached_property
from typing import Generic

import numpy as np

from search.planning.budget_plan import MARGIN, BudgetPlan
from search.surrogate.power_law import log_errors
from search.surrogate.run_history import ObservedTrial, RunHistory, epoch_seconds
from search.terms.actions import D, Space, Start

NAME = "final-"
"""The name of a final trial is this with the number of the trial whose design it trains."""
SHORTEST = 0.2
"""The part of the time kept for the finale that a final training may be begun with."""
DOUBT = 0.1
"""Added to the logarithm of the expected error of a design that was seen at one rung alone."""
LONGER = 1.25
"""A design that had its finale, in an earlier budget, gets another one of so many times the
epochs."""


class Finale(Generic[D]):
    """The finale as it would be at one decision: its next design, and how much time that needs."""

    def __init__(
        self,
        plan: BudgetPlan,
        space: Space[D],
        history: RunHistory[D],
    ) -> None:
        self._plan, self._space, self._history = plan, space, history

    @property
    def spare(self) -> float:
        """Worker-seconds of a lane that exploration may still use."""
        if self._leader is None:
            return self._plan.left.seconds
        epoch = self._leader.epoch_seconds
        return self._plan.spare(self._space.max_epochs * epoch / (1 - MARGIN))

    @property
    def action(self) -> Start[D] | None:
        """Starts the final training of the most promising design that is not in the finale yet;
        None where no design would gain by what is left."""
        if self._leader is None or self._plan.left.seconds < SHORTEST * self._plan.finale:
            return None
        most = np.array([self._space.max_epochs], float)
        epochs = int(self._plan.longest(np.array([self._leader.epoch_seconds]), most)[0])
        design = self._space.in_one_cycle(self._leader.design, epochs)
        return Start(design, epochs, "finale", f"{NAME}{self._leader.trial}")

    @cached_property
    def _leader(self) -> ObservedTrial[D] | None:
        """The trial whose design has the lowest forecast of its error, after a finale that begins
        now."""
        plan = self._plan
        seen = [each for each in self._history.sample() if each.last_epoch and not each.failed]
        epochs = plan.longest(epoch_seconds(seen), np.full(len(seen), self._space.max_epochs))
        trained = self._trained()
        least = [trained.get(self._same(each), 0) if trained else 0 for each in seen]
        gains = [
            index
            for index, each in enumerate(seen)
            if epochs[index] > each.last_epoch and epochs[index] >= LONGER * least[index]
        ]
        if not gains:
            return None
        seen, epochs = [seen[index] for index in gains], epochs[gains]
        # From one rung alone every curve looks as steep as the law.
        doubt = np.array([DOUBT if len(each.results) < 2 else 0.0 for each in seen])
        return seen[int(np.argmin(log_errors(self._space, seen, epochs) + doubt))]

    def _trained(self) -> dict[D, int]:
        """By design, the epochs of the longest final trial that had it."""
        longest: dict[D, int] = {}
        for each in self._history.trials.values():
            if each.name.startswith(NAME) and not each.failed:
                design = self._same(each)
                longest[design] = max(longest.get(design, 0), each.epochs)
        return longest

    def _same(self, seen: ObservedTrial[D]) -> D:
        """What is equal for all trainings of a design, however long."""
        return self._space.in_one_cycle(seen.design, 1)

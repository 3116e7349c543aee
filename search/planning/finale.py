"""The finale of a budget: trains the most promising designs once more, in one learning-rate cycle
that is as long as the time that is left.

A design is chosen by the error that a power law forecasts for so many epochs, since designs are
compared that would be trained for different numbers of them.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Generic

import numpy as np

from search.planning.budget_plan import MARGIN, BudgetPlan
from search.surrogate.power_law import log_errors
from search.surrogate.run_history import ObservedTrial, RunHistory, epoch_seconds
from search.terms.actions import D, Space, Start
from search.terms.final_trials import final_name, is_final

SHORTEST = 0.2
"""The part of the time that the longest final training would have, with which one may be begun."""
DOUBT_OF_UNKNOWN = 0.03
"""Added to the logarithm of the expected error of a design that was not known before the search:
what is known was seen to be good in long trainings."""
LEADERS = 3
"""Time is kept for the dearest of so many leaders: the first of them may yet be another one."""
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
        allows: Callable[[D], bool],
    ) -> None:
        """Only designs that `allows` are trained."""
        self._plan, self._space, self._history, self._allows = plan, space, history, allows

    @property
    def spare(self) -> float:
        """Worker-seconds of a lane that exploration may still use."""
        if not self._leaders:
            return self._plan.left.seconds
        return self._plan.spare(max(map(self._need, self._leaders[:LEADERS])))

    @property
    def action(self) -> Start[D] | None:
        """Starts the final training of the most promising design that is not in the finale yet;
        None where no design would gain by what is left."""
        if not self._leaders:
            return None
        leader = self._leaders[0]
        whole = min(self._plan.finale, self._need(leader))
        if self._plan.left.seconds < SHORTEST * whole:
            return None
        most = np.array([self._space.max_epochs], float)
        epochs = int(self._plan.longest(np.array([leader.epoch_seconds]), most)[0])
        design = self._space.in_one_cycle(leader.design, epochs)
        return Start(design, epochs, "finale", final_name(leader.trial))

    def _need(self, leader: ObservedTrial[D]) -> float:
        """Worker-seconds of the longest training of a leader."""
        return self._space.max_epochs * leader.epoch_seconds / (1 - MARGIN)

    @cached_property
    def _leaders(self) -> list[ObservedTrial[D]]:
        """The trials whose designs would gain by a finale that begins now, the lowest forecast of
        the error after it first."""
        plan = self._plan
        seen = [
            each
            for each in self._history.sample()
            if each.last_epoch and not each.failed and self._allows(each.design)
        ]
        epochs = plan.longest(epoch_seconds(seen), np.full(len(seen), self._space.max_epochs))
        trained = self._trained()
        least = [trained.get(self._same(each), 0) if trained else 0 for each in seen]
        gains = [
            index
            for index, each in enumerate(seen)
            if epochs[index] > each.last_epoch and epochs[index] >= LONGER * least[index]
        ]
        if not gains:
            return []
        # From one rung alone every curve looks as steep as the law.
        at_two = [index for index in gains if len(seen[index].results) > 1]
        seen, epochs = [seen[index] for index in at_two or gains], epochs[at_two or gains]
        doubt = np.array([0.0 if each.name else DOUBT_OF_UNKNOWN for each in seen])
        errors = log_errors(self._space, seen, epochs) + doubt
        return [seen[index] for index in np.argsort(errors, kind="stable")]

    def _trained(self) -> dict[D, int]:
        """By design, the epochs of the longest final trial that had it."""
        longest: dict[D, int] = {}
        for each in self._history.trials.values():
            if is_final(each.name):
                design = self._same(each)
                longest[design] = max(longest.get(design, 0), each.epochs)
        return longest

    def _same(self, seen: ObservedTrial[D]) -> D:
        """What is equal for all trainings of a design, however long."""
        return self._space.in_one_cycle(seen.design, 1)

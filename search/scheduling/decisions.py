"""Asks the strategy what a free lane does next, and writes its decision down."""

from collections import Counter
from collections.abc import Callable

from models.design import Design
from models.quantities import count
from search.lanes.leg import Leg, leg_of
from search.record.recorder import Recorder
from search.scheduling.paused_trials import PausedTrials
from search.terms.actions import Resume, Start, Strategy
from search.terms.budget import Budget

MOST_REFUSALS = 200
"""In a row; then no further design is begun, for the limits leave next to nothing to train."""


class Decisions:
    """The strategy's decisions, one for each lane that comes free, within limits and budget."""

    def __init__(
        self,
        strategy: Strategy[Design],
        recorder: Recorder,
        budget: Budget,
        paused: PausedTrials,
        refuse: Callable[[Design], str],
        seed: int,
    ) -> None:
        """`refuse` tells why a design is not trained, and nothing where it is."""
        self._strategy, self._recorder, self._budget = strategy, recorder, budget
        self._paused, self._refuse, self._seed = paused, refuse, seed
        self._begun = Counter(trial.design for trial in recorder.state.trials.values())
        self._refused = ""
        """Why no further design is begun."""

    def next(self) -> Leg | None:
        """The leg that follows from the next decision; None when there is nothing now."""
        reason = ""
        for _ in range(MOST_REFUSALS):
            trials = self._recorder.state.trials
            new = len(trials) < self._budget.trials and not self._refused
            action = self._strategy.next(new=new)
            if action is None:
                return None
            if isinstance(action, Resume):
                return self._resume(action)
            reason = self._refuse(action.design)
            if not reason:
                return self._start(action)
            self._recorder.refuse(action.design, reason)
        self._refused = f"{MOST_REFUSALS} designs in a row were refused, the last: {reason}"
        return self.next()

    def none_left(self) -> str:
        """Why there is nothing more to decide, once no trial runs any more."""
        most = self._budget.trials
        if self._refused:
            return self._refused
        if len(self._recorder.state.trials) >= most:
            return f"{count(most, 'trial')} {'is' if most == 1 else 'are'} done"
        return "all designs are trained"

    def _resume(self, action: Resume) -> Leg:
        self._paused.remove(action.trial)
        self._recorder.resume(action.trial, action.to_epoch, action.expected)
        return leg_of(self._recorder.state.trials[action.trial])

    def _start(self, action: Start[Design]) -> Leg:
        # A design that was trained before is trained from a further seed.
        design = action.design
        seed = self._seed + self._begun[design]
        self._begun[design] += 1
        number = self._recorder.start(
            design,
            seed,
            to_epoch=action.to_epoch,
            name=action.name,
            by=action.by,
            expected=action.expected,
        )
        return leg_of(self._recorder.state.trials[number])

"""Gets a free lane's next action from the strategy (start a design or resume a paused trial),
refuses designs beyond the limits, and records the decision."""

from collections import Counter
from collections.abc import Callable

from models.design import Design
from models.quantities import count
from search.lanes.leg import Leg, leg_of
from search.record.recorder import Grounds, Recorder
from search.scheduling.paused_trials import PausedTrials
from search.scheduling.time_left import time_left
from search.terms import gain_record
from search.terms.actions import Resume, Start, Strategy
from search.terms.budget import Budget
from search.terms.time_left import TimeLeft, fields_of

MOST_REFUSALS = 200
"""After so many refused designs in a row none is started any more: the limits leave too little."""


class Decisions:
    """Turns the strategy's actions into legs, one for each lane that becomes free, within the
    limits of designs and the budget of trials."""

    def __init__(
        self,
        strategy: Strategy[Design],
        recorder: Recorder,
        budget: Budget,
        paused: PausedTrials,
        refuse: Callable[[Design], str],
        seed: int,
        lanes: Callable[[], int],
    ) -> None:
        """`refuse` returns why a design is not trained, or an empty string; `lanes` counts the
        lanes that work."""
        self._strategy, self._recorder, self._budget = strategy, recorder, budget
        self._paused, self._refuse, self._seed = paused, refuse, seed
        self._lanes = lanes
        self._begun = Counter(trial.design for trial in recorder.state.trials.values())
        self._refused = ""
        """Why no further design is started; empty while they are."""
        self._none_at: float | None = None
        """The time of the ledger's newest line when the strategy had no action."""
        self._too_short = False
        """Whether the strategy had no action although more trials might start."""

    def next(self) -> Leg | None:
        """The leg of the strategy's next action; None where it has none at present."""
        reason = ""
        for _ in range(MOST_REFUSALS):
            trials = self._recorder.state.trials
            new = len(trials) < self._budget.trials and not self._refused
            left = time_left(self._recorder, self._budget, self._lanes())
            if left is not None and self._none_at == self._recorder.state.last_time:
                return None  # with less time, and nothing new, there is none either
            action = self._strategy.next(new=new, left=left)
            if action is None:
                self._none_at = self._recorder.state.last_time
                self._too_short = left is not None and new
                return None
            if isinstance(action, Resume):
                return self._resume(action, left)
            reason = self._refuse(action.design)
            if not reason:
                return self._start(action, left)
            self._recorder.refuse(action.design, reason, fields_of(left))
        self._refused = f"{MOST_REFUSALS} designs in a row were refused, the last: {reason}"
        return self.next()

    def none_left(self) -> str:
        """Why the strategy has no further action, for people, once no trial runs."""
        most = self._budget.trials
        if self._refused:
            return self._refused
        if len(self._recorder.state.trials) >= most:
            return f"{count(most, 'trial')} {'is' if most == 1 else 'are'} done"
        if self._too_short:
            return "what is left of the budget is too short for another training"
        return "all designs are trained"

    def _resume(self, action: Resume, left: TimeLeft | None) -> Leg:
        self._paused.remove(action.trial)
        self._recorder.resume(action.trial, action.to_epoch, _grounds(action, left))
        return leg_of(self._recorder.state.trials[action.trial])

    def _start(self, action: Start[Design], left: TimeLeft | None) -> Leg:
        # A repeated design gets a new seed.
        design = action.design
        seed = self._seed + self._begun[design]
        self._begun[design] += 1
        number = self._recorder.start(
            design,
            seed,
            to_epoch=action.to_epoch,
            name=action.name,
            by=action.by,
            grounds=_grounds(action, left),
        )
        return leg_of(self._recorder.state.trials[number])


def _grounds(action: Start[Design] | Resume, left: TimeLeft | None) -> Grounds:
    return gain_record.fields_of(action.expected) | fields_of(left)

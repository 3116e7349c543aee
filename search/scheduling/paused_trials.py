"""Trials that are paused at a rung, of which only so many can keep what they go on from."""

from search.record.state import Trial
from search.terms.metric import score_of

MOST = 200
"""Whose checkpoints are kept; of more the worst of the lowest rung are given up."""


class PausedTrials:
    """Trials by number, at most MOST of them."""

    def __init__(self) -> None:
        self._trials: dict[int, Trial] = {}

    def add(self, trial: Trial) -> None:
        """A trial pauses."""
        self._trials[trial.trial] = trial

    def give_up(self) -> tuple[int, str] | None:
        """Of too many, the number of the one that is never to go on, and why."""
        if len(self._trials) <= MOST:
            return None
        worst = min(self._trials.values(), key=lambda t: (t.last_epoch, _newest(t), -t.trial))
        self.remove(worst.trial)
        return worst.trial, f"given up: {MOST} better ones wait"

    def remove(self, number: int) -> None:
        """A trial goes on."""
        del self._trials[number]


def _newest(trial: Trial) -> float:
    return score_of(trial.epochs[-1], trial.metric) or 0.0

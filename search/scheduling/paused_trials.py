"""The pool of trials paused at rungs, bounded because each keeps a checkpoint: evicts the worst."""

from search.record.state import Trial
from search.terms.metric import score_of

MOST = 200
"""The most paused trials; beyond it the worst of the lowest rung is stopped for good."""


class PausedTrials:
    """The paused trials, at most MOST of them."""

    def __init__(self) -> None:
        self._trials: dict[int, Trial] = {}

    def add(self, trial: Trial) -> None:
        """Adds a trial that pauses."""
        self._trials[trial.trial] = trial

    def give_up(self) -> tuple[int, str] | None:
        """Where there are too many, removes the worst: its number, and the reason to record."""
        if len(self._trials) <= MOST:
            return None
        worst = min(self._trials.values(), key=lambda t: (t.last_epoch, _newest(t), -t.trial))
        self.remove(worst.trial)
        return worst.trial, f"given up: {MOST} better ones wait"

    def remove(self, number: int) -> None:
        """Removes a trial that goes on."""
        del self._trials[number]


def _newest(trial: Trial) -> float:
    return score_of(trial.epochs[-1], trial.metric) or 0.0

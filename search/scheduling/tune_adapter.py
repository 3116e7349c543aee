"""Adapter to Ray Tune: a searcher, scheduler, callback and stopper that forward to the LegScheduler
and decide nothing themselves.

One trial of Tune's is a lane at work: it trains legs one after another, until no leg waits for it.
Tune neither pauses, restores nor retries anything.
"""

import re
from pathlib import Path
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from search.lanes.placement_groups import give_back_of_dead_lanes
from search.lanes.worker_group import GroupNotStarted
from search.scheduling.leg_scheduler import LegScheduler

NONE = -1
"""The trial number in the config of a closed lane."""
_ERROR = re.compile(r"[\w.]*(Error|Exception|Lost|NotStarted)\b.*: +\S.*[^:]$")


class _Local:
    """Keeps the leg scheduler out of what Tune pickles into its scratch folder."""

    def __init__(self, scheduler: LegScheduler) -> None:
        self.scheduler: LegScheduler = scheduler

    def __getstate__(self) -> dict[str, Any]:
        return {}


class LaneSearcher(_Local, Searcher):
    """Tune's search algorithm: suggests the first leg of a lane as the config of a Tune trial."""

    def __init__(self, scheduler: LegScheduler) -> None:
        _Local.__init__(self, scheduler)
        Searcher.__init__(self, metric="val_accuracy", mode="max")

    def suggest(self, trial_id: str) -> Any:
        """The config of Tune's trial `trial_id`; None where there is no leg at present, FINISHED
        where there is none any more."""
        leg = None
        with self.scheduler.ending.recording():
            # FINISHED too early would make Tune drop the free lanes.
            leg = None if self.scheduler.finished else self.scheduler.next_leg()
        if leg is not None:
            return leg.to_config()
        return Searcher.FINISHED if self.scheduler.finished else None

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: LaneScheduler and LaneCallback report it, with the trial itself."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a resume starts from the ledger."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a resume starts from the ledger."""


class LaneScheduler(_Local, FIFOScheduler):
    """Tune's trial scheduler: decides whether a lane continues, with the same leg or the next one.

    The next leg is handed to the lane's actor here: as a new trial of Tune's it would cost the
    driver as much again as all that Tune does for an epoch.
    """

    def __init__(self, scheduler: LegScheduler) -> None:
        _Local.__init__(self, scheduler)
        FIFOScheduler.__init__(self)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """CONTINUE, STOP or NOOP after a result of the lane's `step`, with what Tune adds to it."""
        with self.scheduler.ending.recording():
            return self._decide(trial, *result["answer"])
        return TrialScheduler.STOP

    def _decide(
        self, trial: Any, answer: dict[str, Any], trained: int, group: str, lane: str
    ) -> str:
        number = trial.config["trial"]
        if trained != number:  # the lane never got the leg, or died and was restarted
            self.scheduler.lost(number, f"its lane trained trial {trained}", started=True)
            return TrialScheduler.STOP
        waiting = "waiting" in answer
        if waiting:  # perhaps for resources of a dead lane
            give_back_of_dead_lanes()
        goes_on = self.scheduler.heard(number, answer, group, lane)
        if lane in self.scheduler.closed:
            trial.config = {**trial.config, "trial": NONE}
            return TrialScheduler.NOOP  # it idles, and keeps its resources
        if not goes_on and not waiting:  # a lane without workers is not free
            goes_on = self._hand_next_leg(trial, lane)
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP

    def _hand_next_leg(self, trial: Any, lane: str) -> bool:
        """Hands a waiting leg to the lane of `trial`; whether there was one."""
        leg = self.scheduler.leg_for_free_lane(lane)
        if leg is None:
            return False
        trial.config = leg.to_config()
        # An actor runs its calls in order: this one, then Tune's next step. Its next answer names
        # the trial, which confirms that the call arrived.
        trial.temporary_state.ray_actor.reset_config.remote(trial.config)
        return True

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Tune's trial that has waited longest for an actor. FIFOScheduler would scan all trials
        there have ever been, at each step."""
        waiting = (t for t in tune_controller.get_live_trials() if t.status == Trial.PENDING)
        return min(waiting, key=lambda trial: trial.trial_id, default=None)


class LaneCallback(_Local, Callback):
    """Tune's callback: reports lanes that are lost to the leg scheduler."""

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Handles the loss of the lane of `trial`, or of a process of it."""
        cause = _cause(trial)
        give_back_of_dead_lanes()
        # A lane that started has given a result, if only that its workers are still starting.
        started = bool(trial.last_result) and GroupNotStarted.__name__ not in cause
        with self.scheduler.ending.recording():
            self.scheduler.lost(trial.config["trial"], cause, started=started)


class BudgetStopper(_Local, Stopper):
    """Tune's stopper: stops all lanes when the search ends, and none before."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        """Whether all lanes end now; closed ones would not end by themselves."""
        ended = bool(self.scheduler.closed) and self.scheduler.finished
        return ended or self.scheduler.ending.is_due()


def _cause(trial: Any) -> str:
    """Why the lane was lost, in a line: the last error in Tune's traceback."""
    path = trial.error_file
    text = Path(path).read_text() if path and Path(path).exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return (errors or lines or ["its process died"])[-1][:300]

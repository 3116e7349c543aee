"""Carries messages between Ray Tune and our conversation, and decides nothing.

A trial of Tune's is a lane at work: one leg of ours after another, until nothing waits for it. Tune
neither pauses, restores nor retries anything.
"""

import re
from pathlib import Path
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from search.lanes.lane_places import give_back_of_dead_lanes
from search.lanes.worker_group import GroupNotStarted
from search.scheduling.leg_scheduler import LegScheduler

NONE = -1
"""The trial of a lane that is closed."""
_ERROR = re.compile(r"[\w.]*(Error|Exception|Lost|NotStarted)\b.*: +\S.*[^:]$")


class _Local:
    """Keeps the conversation out of what Tune pickles into its scratch folder."""

    def __init__(self, scheduler: LegScheduler) -> None:
        self.scheduler: LegScheduler = scheduler

    def __getstate__(self) -> dict[str, Any]:
        return {}


class LaneSearcher(_Local, Searcher):
    """Tune's searcher: the leg with which a lane begins."""

    def __init__(self, scheduler: LegScheduler) -> None:
        _Local.__init__(self, scheduler)
        Searcher.__init__(self, metric="val_accuracy", mode="max")

    def suggest(self, trial_id: str) -> Any:
        """The config of Tune's trial `trial_id`, nothing now, or that there is no more."""
        leg = None
        with self.scheduler.ending.recording():
            # Told of the end too early, Tune would drop the lanes that are free.
            leg = None if self.scheduler.finished else self.scheduler.next_leg()
        if leg is not None:
            return leg.to_config()
        return Searcher.FINISHED if self.scheduler.finished else None

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Told through the others, with the trial itself."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the ledger is the truth."""


class LaneScheduler(_Local, FIFOScheduler):
    """Tune's scheduler: whether a lane goes on, with the same leg or another.

    The other is handed to the lane here: as a trial of Tune's own it would cost the driver as much
    again as all that Tune does for an epoch.
    """

    def __init__(self, scheduler: LegScheduler) -> None:
        _Local.__init__(self, scheduler)
        FIFOScheduler.__init__(self)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """`result` is what the lane's step gave, with what Tune adds."""
        with self.scheduler.ending.recording():
            return self._decide(trial, *result["answer"])
        return TrialScheduler.STOP

    def _decide(
        self, trial: Any, answer: dict[str, Any], trained: int, group: str, lane: str
    ) -> str:
        number = trial.config["trial"]
        if trained != number:  # the lane was never told of it, or died and came back
            self.scheduler.lost(number, f"its lane trained trial {trained}", started=True)
            return TrialScheduler.STOP
        waiting = "waiting" in answer
        if waiting:  # perhaps for what a lane holds that died
            give_back_of_dead_lanes()
        goes_on = self.scheduler.heard(number, answer, group, lane)
        if lane in self.scheduler.closed:
            trial.config = {**trial.config, "trial": NONE}
            return TrialScheduler.NOOP  # it stands still, and keeps its place
        if not goes_on and not waiting:  # one without workers is no free lane
            goes_on = self._hand_next_leg(trial, lane)
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP

    def _hand_next_leg(self, trial: Any, lane: str) -> bool:
        """Gives the lane of `trial` what waits for it; whether there was anything."""
        leg = self.scheduler.leg_for_free_lane(lane)
        if leg is None:
            return False
        trial.config = leg.to_config()
        # An actor does what it is told in order: this, then Tune's next step. That it was told
        # shows in its next answer, which names the trial.
        trial.temporary_state.ray_actor.reset_config.remote(trial.config)
        return True

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """The trial of Tune's that has waited longest for an actor. Tune's own scheduler would look
        through all there have ever been, at each step."""
        waiting = (t for t in tune_controller.get_live_trials() if t.status == Trial.PENDING)
        return min(waiting, key=lambda trial: trial.trial_id, default=None)


class LaneCallback(_Local, Callback):
    """Tune's callback: lanes that are lost."""

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """The lane of `trial` is gone, or some process of it."""
        cause = _cause(trial)
        give_back_of_dead_lanes()
        # Of a lane that began there is an answer, if only that its workers are still to come.
        started = bool(trial.last_result) and GroupNotStarted.__name__ not in cause
        with self.scheduler.ending.recording():
            self.scheduler.lost(trial.config["trial"], cause, started=started)


class BudgetStopper(_Local, Stopper):
    """Tune's stopper: everything when all is over, and before that nothing."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        """Whether all trials end now; closed lanes would not end by themselves."""
        ended = bool(self.scheduler.closed) and self.scheduler.finished
        return ended or self.scheduler.ending.is_due()


def _cause(trial: Any) -> str:
    """What took the lane, in a line: the last error that Tune's traceback names."""
    path = trial.error_file
    text = Path(path).read_text() if path and Path(path).exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return (errors or lines or ["its process died"])[-1][:300]

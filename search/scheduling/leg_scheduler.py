"""The leg scheduler: decides which leg a free lane trains, and whether a trial goes on after an
epoch, pauses at a rung, ends, or is restarted after a fault."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from models.design import Design
from search.lanes.leg import Leg, leg_of
from search.record.recorder import Recorder
from search.record.state import Trial
from search.scheduling.closed_lanes import ClosedLanes
from search.scheduling.decisions import Decisions
from search.scheduling.fault_counts import MOST_OF_A_TRIAL, FaultCounts
from search.scheduling.paused_trials import PausedTrials
from search.scheduling.search_end import SearchEnd
from search.scheduling.waiting_legs import WaitingLegs
from search.strategy.stopping_rule import NEVER, Stopping
from search.terms.actions import Strategy
from search.terms.budget import Budget

EARLY = "ended early by the scheduler"


class LegScheduler:
    """Assigns legs to lanes by the strategy's actions, and handles the lanes' results and faults.

    Each trial has one leg at a time. A trial whose lane was lost, or whose machine failed, goes on
    in another lane before anything new begins; such a fault is no observation for the strategy. The
    strategy is asked once for each lane that becomes free, immediately, so that its knowledge then
    depends on the order of the results alone.
    """

    def __init__(
        self,
        strategy: Strategy[Design],
        recorder: Recorder,
        budget: Budget,
        *,
        refuse: Callable[[Design], str],
        lanes: Callable[[], int],
        seed: int,
        say: Callable[[Trial], None],
        interrupted: Callable[[], bool],
        stopping: Stopping = NEVER,
        storage_fault: Callable[[], str] = lambda: "",
        warn: Callable[[str], None] = lambda line: None,
        has_left: Callable[[str], bool] = lambda place: False,
    ) -> None:
        """`recorder` passes what it writes on to the strategy; its trials whose legs were cut by
        the end of an earlier session go on first. `lanes` counts the lanes that there can be,
        `refuse` says why a design is not trained, `say` reports a trial that pauses or ends,
        `storage_fault` says why the storage does not work from here, `warn` gets a line for each
        closed lane, `has_left` tells whether the node of a lane's place has left the cluster."""
        self.strategy, self.recorder = strategy, recorder
        self.ending = SearchEnd(recorder, budget, stopping, interrupted)
        self._say, self._lanes, self._storage_fault = say, lanes, storage_fault
        self._legs: set[int] = set()
        """Trials that are in a lane."""
        self._waiting = WaitingLegs()
        """Legs for the next free lane: of trials that lost or gave up theirs, or just decided."""
        self._paused = PausedTrials()
        self._idle_lane = False
        """Whether a lane has become free and no leg was handed out since."""
        self._faults = FaultCounts()
        self.closed = ClosedLanes(warn, has_left)
        self._decisions = Decisions(
            strategy, recorder, budget, self._paused, refuse, seed, self._open_lanes
        )
        self._exhausted = False
        self._take_up()

    def _take_up(self) -> None:
        for trial in self.recorder.state.trials.values():
            if trial.state == "paused" and trial.last_epoch >= trial.to_epoch:
                self._paused.add(trial)
            elif trial.state in ("running", "paused"):
                self.recorder.go_on(trial.trial)
                if trial.epochs:  # the session may have ended before its newest epoch was handled
                    self._heard_of(trial)
                if trial.trial in self.recorder.running():
                    self._waiting.add(leg_of(trial))

    @property
    def finished(self) -> bool:
        """Whether there will be no more legs."""
        return self._exhausted and not self._legs and not self._waiting

    def next_leg(self, lane: str = "") -> Leg | None:
        """The leg for a free or new lane; None when the cluster holds no more lanes, or when there
        is no leg at present or any more (`finished`)."""
        if len(self._legs) >= self._open_lanes():
            self._check_open("its node has left")
            return None
        # A trial is not retried in the lane where it just failed, if there is another one.
        leg = self._waiting.take(lane if self._open_lanes() > 1 else "") or self._ask()
        if leg is not None:
            self._enter_lane(leg.trial)
            self._idle_lane = False
        return leg

    def leg_for_free_lane(self, lane: str = "") -> Leg | None:
        """The waiting leg for a lane that has just become free; None when no leg waits, or the
        search is to end."""
        return self.next_leg(lane) if self._waiting and not self.ending.is_due() else None

    def _open_lanes(self) -> int:
        return self._lanes() - len(self.closed)

    def _enter_lane(self, trial: int) -> None:
        self._legs.add(trial)
        self.recorder.enter_lane(trial)

    def _ask(self) -> Leg | None:
        """The leg of the strategy's next action; notes when the search is exhausted."""
        if self._exhausted:
            return None
        leg = self._decisions.next()
        # Results of running trials may lead to further actions; without any the search is over.
        if leg is None and not self._legs and not self._waiting:
            self._exhausted = True
            self.ending.why = self._decisions.none_left()
        return leg

    def heard(self, number: int, answer: dict[str, Any], group: str, lane: str = "") -> bool:
        """Handles a lane's answer for its trial: an epoch's result, a failure, or that its workers
        are still starting; returns whether the trial goes on in this lane.

        `group` names the lane's current worker group, `lane` the lane itself.
        """
        if number not in self._legs:
            return False
        if "waiting" in answer:
            return self._waits(number)
        self.ending.answered(group)
        with self.recorder.together():
            if "failure" in answer:
                self._failed(number, answer, lane)
            else:
                self._faults.went_well(number, lane)
                self.recorder.epoch(number, answer, group)
                self._heard_of(self.recorder.state.trials[number])
        return number in self._legs or self._free_lane(number)

    def _failed(self, number: int, answer: dict[str, Any], lane: str) -> None:
        """Handles a worker's failure by its kind (search/lanes/faults.py): ends the trial, restarts
        it elsewhere, or ends the search."""
        reason, kind = answer["failure"], answer["kind"]
        if kind == "design":
            self._faults.went_well(number, lane)
            self._end(number, failure=reason)
            return
        gone = self._storage_fault() if kind == "storage" else ""
        if kind == "run" or gone:
            self._legs.discard(number)
            self.ending.stop(gone or reason)
            return
        if kind == "checkpoint":  # no lane is to blame
            self._fault(number, reason, anew=True)
            return
        self._fault(number, reason, lane)
        if self._faults.blames_lane(lane):
            self.closed.add(lane, answer["place"], reason)
            self._check_open(reason)

    def _check_open(self, reason: str) -> None:
        """Ends the search where all lanes are closed."""
        if self.closed and not self._legs and self._open_lanes() <= 0:
            self.ending.stop(f"no lane works any more, the last: {reason}")

    def _fault(self, number: int, reason: str, lane: str = "", *, anew: bool = False) -> None:
        """Restarts a trial after a machine fault in another lane, with `anew` from its first epoch;
        after too many in a row it is paused until the search is resumed."""
        self._faults.add(number, lane)
        if self._faults.blames_all(self._lanes()):
            self.ending.stop(f"{self._faults.in_a_row} faults in a row, the last: {reason}")
        if not self._faults.blames_trial(number):
            self._restart(number, reason, lane, anew=anew)
            return
        self._faults.forget_trial(number)
        self._legs.discard(number)
        last = f"set aside after {MOST_OF_A_TRIAL} faults in a row, the last: {reason}"
        self.recorder.pause(number, last)
        self._say(self.recorder.state.trials[number])

    def _restart(self, number: int, reason: str, lane: str = "", *, anew: bool = False) -> None:
        trial = self.recorder.state.trials[number]
        self.recorder.restart(number, reason, 0 if anew else trial.last_epoch)
        self._give_back(number, lane, anew=anew)

    def _heard_of(self, trial: Trial) -> None:
        """Ends or pauses a trial, if its newest epoch calls for it: it diverged, was its last, is
        stopped early, or is a rung."""
        if trial.epochs[-1]["val_accuracy"] is None:
            self._end(trial.trial, failure="diverged")
        elif trial.last_epoch == trial.design.epochs:
            self._end(trial.trial)
        elif not self.strategy.goes_on(trial.trial):
            self._end(trial.trial, reason=EARLY)
        elif trial.last_epoch == trial.to_epoch:
            self._pause(trial)

    def _pause(self, trial: Trial) -> None:
        self._legs.discard(trial.trial)
        self.recorder.pause(trial.trial)
        self._paused.add(trial)
        self.ending.trial_ended("", epochs=True)
        self._say(trial)
        if given_up := self._paused.give_up():
            self.recorder.give_up(*given_up)

    def _free_lane(self, number: int) -> bool:
        """Asks the strategy for the next leg of a lane that is done with a trial; whether it is the
        same trial, promoted at once. Another trial's leg waits to be taken."""
        if not (self.ending.is_due() or self._waiting or len(self._legs) >= self._open_lanes()):
            leg = self._ask()
            if leg is not None and leg.trial == number:
                self._enter_lane(number)
                return True
            if leg is not None:
                self._waiting.add(leg)
        self._idle_lane = True
        return False

    def _waits(self, number: int) -> bool:
        """Whether a trial keeps waiting for the workers of its new lane.

        It does not when another lane has become free, which may hold the resources that they wait
        for, nor when the cluster has shrunk below the lanes in use.
        """
        self.recorder.workers_to_come(number)
        if not self._idle_lane and len(self._legs) <= self._open_lanes():
            return True
        self._give_back(number)
        return False

    def _give_back(self, number: int, failed_in: str = "", *, anew: bool = False) -> None:
        """Takes a trial out of its lane, and queues its leg for the next free one; with `anew` from
        its first epoch."""
        leg = leg_of(self.recorder.state.trials[number])
        self._legs.remove(number)
        self.recorder.leave_lane(number)
        self._waiting.add(replace(leg, from_epoch=0) if anew else leg, failed_in)

    def lost(self, number: int, reason: str, *, started: bool) -> None:
        """Handles the loss of a lane, for whatever reason; its trial goes on in another one.

        `started` tells whether the lane's workers had started at all.
        """
        if number not in self._legs:
            return
        if started:
            self._fault(number, reason)
            return
        self._restart(number, reason)  # no trial is to blame
        if self.ending.did_not_start(reason):
            self.closed.add_unstarted(reason)
            self._check_open(reason)

    def _end(self, number: int, failure: str = "", reason: str = "") -> None:
        self._legs.discard(number)
        self.recorder.end(number, "failed" if failure else None, failure or reason)
        trial = self.recorder.state.trials[number]
        self.ending.trial_ended(failure, epochs=bool(trial.epochs))
        self._say(trial)

    def end_all(self) -> None:
        """Pauses the trials that are in a lane, or wait for one: a resume goes on with them."""
        self._waiting.clear()
        with self.ending.recording():
            for number in self.recorder.running():
                self.recorder.pause(number, self.ending.why)
                self._say(self.recorder.state.trials[number])

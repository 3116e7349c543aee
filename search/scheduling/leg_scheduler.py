"""What is said between a search's strategy and its lanes."""

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
    """Answers which leg a free lane trains, and whether a trial goes on after an epoch.

    Each trial has one leg at a time. What a lane trained when it was lost, or when its machine
    failed, goes on in another lane before anything new begins, and nothing is learned from it. The
    strategy is asked once for each lane that comes free, at once, so that what it knows then
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
        """`recorder` tells the strategy what it writes down; trials that it holds and whose legs
        were cut go on first. `storage_fault` tells why the storage does not work from here, `warn`
        gets a line for each lane that is closed, `has_left` tells whether a lane's place is there
        no more."""
        self.strategy, self.recorder = strategy, recorder
        self.ending = SearchEnd(recorder, budget, stopping, interrupted)
        self._say, self._lanes, self._storage_fault = say, lanes, storage_fault
        self._legs: set[int] = set()
        """Trials that are in a lane."""
        self._waiting = WaitingLegs()
        """Legs for the next lane that is free: of trials that lost theirs or gave it up, or just
        decided."""
        self._paused = PausedTrials()
        self._idle_lane = False
        """Whether a lane has come free and was not given a leg since."""
        self._faults = FaultCounts()
        self.closed = ClosedLanes(warn, has_left)
        self._decisions = Decisions(strategy, recorder, budget, self._paused, refuse, seed)
        self._exhausted = False
        self._take_up()

    def _take_up(self) -> None:
        for trial in self.recorder.state.trials.values():
            if trial.state == "paused" and trial.last_epoch >= trial.to_epoch:
                self._paused.add(trial)
            elif trial.state in ("running", "paused"):
                self.recorder.go_on(trial.trial)
                if trial.epochs:  # what follows from the newest may not have been written
                    self._heard_of(trial)
                if trial.trial in self.recorder.running():
                    self._waiting.add(leg_of(trial))

    @property
    def finished(self) -> bool:
        """Whether there will be no more legs."""
        return self._exhausted and not self._legs and not self._waiting

    def next_leg(self, lane: str = "") -> Leg | None:
        """What a lane trains, a free one or a new one; None when the cluster holds no more lanes,
        when there is nothing now, or no more at all."""
        if len(self._legs) >= self._open_lanes():
            self._check_open("its node has left")
            return None
        # Not where it just failed, if there is elsewhere.
        leg = self._waiting.take(lane if self._open_lanes() > 1 else "") or self._ask()
        if leg is not None:
            self._enter_lane(leg.trial)
            self._idle_lane = False
        return leg

    def leg_for_free_lane(self, lane: str = "") -> Leg | None:
        """What the lane that has just come free trains next; None when nothing waits."""
        return self.next_leg(lane) if self._waiting and not self.ending.is_due() else None

    def _open_lanes(self) -> int:
        return self._lanes() - len(self.closed)

    def _enter_lane(self, trial: int) -> None:
        self._legs.add(trial)
        self.recorder.enter_lane(trial)

    def _ask(self) -> Leg | None:
        """What the strategy says to a free lane."""
        if self._exhausted:
            return None
        leg = self._decisions.next()
        # What trials still show may bring something; without any it is over.
        if leg is None and not self._legs and not self._waiting:
            self._exhausted = True
            self.ending.why = self._decisions.none_left()
        return leg

    def heard(self, number: int, answer: dict[str, Any], group: str, lane: str = "") -> bool:
        """A lane's answer for its trial: one epoch, a failure, or that its workers are still to
        come; whether the trial goes on in this lane.

        `group` is the lane's worker group of now, `lane` its name for as long as it lives.
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
        """A worker's failure, by its kind (search/lanes/faults.py)."""
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
        if kind == "checkpoint":  # for which no lane is to blame
            self._fault(number, reason, anew=True)
            return
        self._fault(number, reason, lane)
        if self._faults.blames_lane(lane):
            self.closed.add(lane, answer["place"], reason)
            self._check_open(reason)

    def _check_open(self, reason: str) -> None:
        """Ends the search where lanes are closed, and there is no other."""
        if self.closed and not self._legs and self._open_lanes() <= 0:
            self.ending.stop(f"no lane works any more, the last: {reason}")

    def _fault(self, number: int, reason: str, lane: str = "", *, anew: bool = False) -> None:
        """A trial lost its lane, or its machine failed: it goes on in another one, `anew` from its
        beginning; or where that does not help, in another session."""
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
        """What follows from a trial's newest epoch."""
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
        """Decides what a lane does that has done with a trial; whether that is the same trial."""
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
        """Whether a trial waits on for its new lane's workers.

        Not when another lane has come free, which may hold the very place they wait for, nor when
        there is no place for them any more.
        """
        self.recorder.workers_to_come(number)
        if not self._idle_lane and len(self._legs) <= self._open_lanes():
            return True
        self._give_back(number)
        return False

    def _give_back(self, number: int, failed_in: str = "", *, anew: bool = False) -> None:
        """The trial leaves its lane, and goes on in the next one that can be had."""
        leg = leg_of(self.recorder.state.trials[number])
        self._legs.remove(number)
        self.recorder.leave_lane(number)
        self._waiting.add(replace(leg, from_epoch=0) if anew else leg, failed_in)

    def lost(self, number: int, reason: str, *, started: bool) -> None:
        """A lane is gone, whatever took it; its trial goes on in another.

        `started` tells whether the lane's workers had come up at all.
        """
        if number not in self._legs:
            return
        if started:
            self._fault(number, reason)
            return
        self._restart(number, reason)  # for which no trial is to blame
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
        """Cuts the trials that are still in a lane, or wait for one: they may go on one day."""
        self._waiting.clear()
        with self.ending.recording():
            for number in self.recorder.running():
                self.recorder.pause(number, self.ending.why)
                self._say(self.recorder.state.trials[number])

"""What is said between a search's strategy and its lanes."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from models.design import Design, to_dict
from search.actions import Resume, Start, Strategy
from search.budget import Budget
from search.leg import Leg
from search.recorder import Recorder
from search.state import Trial
from search.stopping import NEVER, Stopping

MOST_REFUSALS = 200
"""In a row; then the search ends, for its limits leave next to nothing to train."""
MOST_FAILURES = 5
"""Trials in a row that fail without any epoch, or lanes in a row that do not start; then the search
ends, for it is not the designs that fail."""
MOST_PAUSED = 200
"""Trials, whose checkpoints are kept; of more the worst of the lowest rung are given up."""
MOST_LOSSES = 3
"""Lanes in a row that a trial may lose without an epoch between; then it is the trial that kills
them."""

EARLY = "ended early by the scheduler"


class Conversation:
    """Answers which leg a free lane trains, and whether a trial goes on after an epoch.

    Each trial has one leg at a time. What a lane trained when it was lost goes on, in another leg,
    before anything new begins. The strategy is asked once for each lane that comes free, at once,
    so that what it knows then depends on the order of the results alone.
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
    ) -> None:
        """`recorder` tells the strategy what it writes down; trials that it holds and whose legs
        were cut go on first."""
        self.strategy, self.recorder, self.budget = strategy, recorder, budget
        self._refuse, self._seed, self._say = refuse, seed, say
        self._lanes, self._interrupted, self._stopping = lanes, interrupted, stopping
        self._begun = Counter(trial.design for trial in recorder.state.trials.values())
        self._legs: set[int] = set()
        """Trials that are in a lane."""
        self._waiting: deque[Leg] = deque()
        """Legs for the next lane that is free: of trials that lost theirs or gave it up, or just
        decided."""
        self._paused: dict[int, Trial] = {}
        self._idle_lane = False
        """Whether a lane has come free and was not given a leg since."""
        self._losses: dict[int, int] = {}
        self._failures = self._false_starts = 0
        self._exhausted = False
        self._refused = ""
        """Why no further design is begun."""
        self._promised = len(recorder.state.promises)
        """By earlier sessions."""
        self.why_ended = ""
        self._take_up()

    def _take_up(self) -> None:
        for trial in self.recorder.state.trials.values():
            if trial.state == "paused" and trial.last_epoch >= trial.to_epoch:
                self._paused[trial.trial] = trial
            elif trial.state in ("running", "paused"):
                self.recorder.go_on(trial.trial)
                if trial.epochs:  # what follows from the newest may not have been written
                    self._heard_of(trial)
                if trial.trial in self.recorder.running():
                    self._waiting.append(_leg(trial))

    @property
    def finished(self) -> bool:
        """Whether there will be no more legs."""
        return self._exhausted and not self._legs and not self._waiting

    def next_leg(self) -> Leg | None:
        """What a lane trains, a free one or a new one; None when the cluster holds no more lanes,
        when there is nothing now, or no more at all."""
        if len(self._legs) >= self._lanes():
            return None
        leg = self._waiting.popleft() if self._waiting else self._ask()
        if leg is not None:
            self._enter_lane(leg.trial)
            self._idle_lane = False
        return leg

    def leg_for_free_lane(self) -> Leg | None:
        """What the lane that has just come free trains next; None when nothing waits for it."""
        return self.next_leg() if self._waiting and not self.over() else None

    def _enter_lane(self, trial: int) -> None:
        self._legs.add(trial)
        self.recorder.enter_lane(trial)

    def _ask(self) -> Leg | None:
        """What the strategy says to a free lane, written down."""
        if self._exhausted:
            return None
        reason = ""
        for _ in range(MOST_REFUSALS):
            trials = self.recorder.state.trials
            new = len(trials) < self.budget.trials and not self._refused
            action = self.strategy.next(new=new)
            if action is None:
                self._nothing()
                return None
            if isinstance(action, Resume):
                return self._resume(action)
            reason = self._refuse(action.design)
            if not reason:
                return self._start(action)
            self.recorder.refuse(action.design, reason)
        self._refused = f"{MOST_REFUSALS} designs in a row were refused, the last: {reason}"
        return self._ask()

    def _nothing(self) -> None:
        """What trials still show may bring something; without any it is over."""
        if self._legs or self._waiting:
            return
        self._exhausted = True
        most = self.budget.trials
        all_begun = len(self.recorder.state.trials) >= most
        done = f"{most:g} trials are done" if all_begun else "all designs are trained"
        self.why_ended = self._refused or done

    def _resume(self, action: Resume) -> Leg:
        del self._paused[action.trial]
        self.recorder.resume(action.trial, action.to_epoch, action.worth)
        return _leg(self.recorder.state.trials[action.trial])

    def _start(self, action: Start[Design]) -> Leg:
        # A design that was trained before is trained from a further seed.
        design = action.design
        seed = self._seed + self._begun[design]
        self._begun[design] += 1
        number = self.recorder.start(
            design,
            seed,
            to_epoch=action.to_epoch,
            name=action.name,
            by=action.by,
            worth=action.worth,
        )
        return _leg(self.recorder.state.trials[number])

    def heard(self, number: int, answer: dict[str, Any], group: str) -> bool:
        """A lane's answer for its trial: one epoch, a failure, or that its workers are still to
        come; whether the trial goes on in this lane."""
        if number not in self._legs:
            return False
        if "waiting" in answer:
            return self._waits(number)
        self._false_starts = 0
        with self.recorder.together():
            if "failure" in answer:
                self._end(number, failure=answer["failure"])
            else:
                self._losses.pop(number, None)
                self.recorder.epoch(number, answer, group)
                self._heard_of(self.recorder.state.trials[number])
        return number in self._legs or self._free_lane(number)

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
        self._paused[trial.trial] = trial
        self._failures = 0
        self._say(trial)
        if len(self._paused) > MOST_PAUSED:
            worst = min(self._paused.values(), key=lambda t: (t.last_epoch, _newest(t), -t.trial))
            del self._paused[worst.trial]
            self.recorder.give_up(worst.trial, f"given up: {MOST_PAUSED} better ones wait")

    def _free_lane(self, number: int) -> bool:
        """Decides what a lane does that has done with a trial; whether that is the same trial."""
        if not (self.over() or self._waiting or len(self._legs) >= self._lanes()):
            leg = self._ask()
            if leg is not None and leg.trial == number:
                self._enter_lane(number)
                return True
            if leg is not None:
                self._waiting.append(leg)
        self._idle_lane = True
        return False

    def _waits(self, number: int) -> bool:
        """Whether a trial waits on for its new lane's workers.

        Not when another lane has come free, which may hold the very place they wait for, nor when
        there is no place for them any more.
        """
        if not self._idle_lane and len(self._legs) <= self._lanes():
            return True
        self._give_back(number)
        return False

    def _give_back(self, number: int) -> None:
        """The trial leaves its lane, and goes on in the next one that can be had."""
        trial = self.recorder.state.trials[number]
        self._legs.remove(number)
        self.recorder.leave_lane(number)
        self._waiting.append(_leg(trial))

    def lost(self, number: int, reason: str, *, started: bool) -> None:
        """A lane is gone, whatever took it; its trial goes on in another.

        `started` tells whether the lane's workers had come up at all.
        """
        if number not in self._legs:
            return
        self._false_starts = 0 if started else self._false_starts + 1
        if self._false_starts == MOST_FAILURES:
            self.why_ended = f"{MOST_FAILURES} lanes in a row did not start: {reason}"
        if started:
            self._losses[number] = self._losses.get(number, 0) + 1
        if self._losses.get(number) == MOST_LOSSES:
            self._end(number, failure=f"lost {MOST_LOSSES} lanes in a row, the last: {reason}")
            return
        self.recorder.restart(number, reason)
        self._give_back(number)

    def _end(self, number: int, failure: str = "", reason: str = "") -> None:
        self._legs.discard(number)
        self._losses.pop(number, None)
        self.recorder.end(number, "failed" if failure else None, failure or reason)
        trial = self.recorder.state.trials[number]
        if self._failures < MOST_FAILURES:
            self._failures = self._failures + 1 if failure and not trial.epochs else 0
            if self._failures == MOST_FAILURES:
                self.why_ended = f"{MOST_FAILURES} trials in a row failed at their start: {failure}"
        self._say(trial)

    def over(self) -> bool:
        """Whether the user, the budget, too little to gain, or too many failures end all now."""
        if self._failures >= MOST_FAILURES or self._false_starts >= MOST_FAILURES:
            return True
        if self._interrupted():
            self.why_ended = "interrupted"
            return True
        if self._stopping.is_due(self.recorder.state.promises[self._promised :]):
            self.why_ended = str(self._stopping)
            return True
        spent = self.recorder.spent(self.budget)
        if spent:
            self.why_ended = f"the budget of {spent} is used up"
        return bool(spent)

    def end_all(self) -> None:
        """Cuts the trials that are still in a lane, or wait for one: they may go on one day."""
        self._waiting.clear()
        for number in self.recorder.running():
            self.recorder.pause(number, self.why_ended)
            self._say(self.recorder.state.trials[number])


def _leg(trial: Trial) -> Leg:
    return Leg(trial.trial, to_dict(trial.design), trial.seed, trial.last_epoch)


def _newest(trial: Trial) -> float:
    return trial.epochs[-1]["val_accuracy"] or 0.0

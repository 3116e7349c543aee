"""What is said between a search's proposer, its rule for ending trials early, and its lanes."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from models.design import Design, to_dict
from search.budget import Budget
from search.leg import Leg
from search.recorder import Recorder
from search.state import Trial

MOST_REFUSALS = 200
"""In a row; then the search ends, for its limits leave next to nothing to train."""
MOST_FAILURES = 5
"""Trials in a row that fail without any epoch, or lanes in a row that do not start; then the search
ends, for it is not the designs that fail."""
MOST_LOSSES = 3
"""Lanes in a row that a trial may lose without an epoch between; then it is the trial that kills
them."""

EARLY = "ended early by the scheduler"


class Proposer(Protocol):
    """Who is asked for designs, and told what became of them."""

    def ask(self) -> tuple[Design, str, str] | None:
        """A design, its name, and who proposed it; None when there are no more."""

    def started(self, trial: int, parameters: int) -> None:
        """What was asked last is trained as this trial."""

    def refused(self, reason: str) -> None:
        """What was asked last is not trained."""

    def told_epoch(self, trial: Trial) -> None:
        """The newest epoch of `trial`."""

    def told_end(self, trial: Trial) -> None:
        """A trial's end."""


class Conversation:
    """Answers which leg a free lane trains, and whether a trial goes on after an epoch.

    Each trial has one leg at a time. What a lane trained when it was lost goes on, in another leg,
    before anything new begins.
    """

    def __init__(
        self,
        proposer: Proposer,
        recorder: Recorder,
        budget: Budget,
        *,
        refuse: Callable[[Design], str],
        goes_on: Callable[[Trial], bool],
        lanes: Callable[[], int],
        seed: int,
        say: Callable[[Trial], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self.proposer, self.recorder, self.budget = proposer, recorder, budget
        self._refuse, self._goes_on, self._seed, self._say = refuse, goes_on, seed, say
        self._lanes, self._interrupted = lanes, interrupted
        self._legs: set[int] = set()
        """Trials that are in a lane."""
        self._waiting: deque[Leg] = deque()
        """Legs of trials that lost their lane, or gave it up."""
        self._idle_lane = False
        """Whether a lane has come free and was not given a leg since."""
        self._losses: dict[int, int] = {}
        self._failures = self._false_starts = 0
        self._exhausted = False
        self.why_ended = ""

    @property
    def finished(self) -> bool:
        """Whether there will be no more legs."""
        return self._exhausted and not self._legs and not self._waiting

    def next_leg(self) -> Leg | None:
        """What a lane trains, a free one or a new one; None when the cluster holds no more lanes,
        when there is nothing now, or no more at all."""
        if len(self._legs) >= self._lanes():
            return None
        if self._waiting:
            leg = self._waiting.popleft()
        elif self._exhausted or (first := self._propose()) is None:
            self._exhausted = True
            return None
        else:
            leg = first
        self._legs.add(leg.trial)
        self._idle_lane = False
        return leg

    def _propose(self) -> Leg | None:
        reason = ""
        for _ in range(MOST_REFUSALS):
            if len(self.recorder.state.trials) >= self.budget.trials:
                self.why_ended = f"{self.budget.trials:g} trials are done"
                return None
            answer = self.proposer.ask()
            if answer is None:
                self.why_ended = "all designs are trained"
                return None
            design, name, by = answer
            reason = self._refuse(design)
            if not reason:
                return self._start(design, name, by)
            self.recorder.refuse(design, reason)
            self.proposer.refused(reason)
        self.why_ended = f"{MOST_REFUSALS} designs in a row were refused, the last: {reason}"
        return None

    def _start(self, design: Design, name: str, by: str) -> Leg:
        # A design that was trained before is trained from a further seed.
        trials = self.recorder.state.trials
        seed = self._seed + sum(trial.design == design for trial in trials.values())
        number = self.recorder.start(design, seed, name=name, by=by)
        self.proposer.started(number, trials[number].parameters)
        return Leg(number, to_dict(design), seed)

    def heard(self, number: int, answer: dict[str, Any], group: str) -> bool:
        """A lane's answer for its trial: one epoch, a failure, or that its workers are still to
        come; whether the trial goes on in this lane."""
        if number not in self._legs:
            return False
        if "waiting" in answer:
            return self._waits(number)
        self._false_starts = 0
        if "failure" in answer:
            self._end(number, failure=answer["failure"])
        else:
            self._heard_epoch(number, answer, group)
        goes_on = number in self._legs
        self._idle_lane = self._idle_lane or not goes_on
        return goes_on

    def _heard_epoch(self, number: int, result: dict[str, Any], group: str) -> None:
        self._losses.pop(number, None)
        trial = self.recorder.state.trials[number]
        self.recorder.epoch(number, result, group)
        self.proposer.told_epoch(trial)
        if trial.epochs[-1]["val_accuracy"] is None:
            self._end(number, failure="diverged")
        elif trial.last_epoch == trial.design.epochs:
            self._end(number)
        elif not self._goes_on(trial):
            self._end(number, reason=EARLY)

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
        self._waiting.append(Leg(number, to_dict(trial.design), trial.seed, trial.last_epoch))

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
        self.proposer.told_end(trial)
        self._say(trial)

    def over(self) -> bool:
        """Whether the user, the budget or too many failures end all trials now."""
        if self._failures >= MOST_FAILURES or self._false_starts >= MOST_FAILURES:
            return True
        if self._interrupted():
            self.why_ended = "interrupted"
            return True
        spent = self.recorder.spent(self.budget)
        if spent:
            self.why_ended = f"the budget of {spent} is used up"
        return bool(spent)

    def end_all(self) -> None:
        """Ends the trials that are still in a lane, or wait for one."""
        self._waiting.clear()
        for number in self.recorder.running():
            self._end(number, reason=self.why_ended)

"""Carries messages between Ray Tune and our proposer and recorder, and decides nothing."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ray.tune import Callback, Stopper
from ray.tune.search import Searcher

from models.design import Design, to_dict
from search.budget import Budget
from search.recorder import Recorder
from search.state import Trial

MOST_REFUSALS = 200
"""In a row; then the search ends, for its limits leave next to nothing to train."""
MOST_FAILURES = 5
"""In a row and without any epoch; then the search ends, for it is not the designs that fail."""


EARLY = "ended early by the scheduler"
_ERROR = re.compile(r"[\w.]*(Error|Exception)\b.*: +\S.*[^:]$")


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
    """What the parts of one search share; it stays in the driver and is never pickled."""

    def __init__(
        self,
        proposer: Proposer,
        recorder: Recorder,
        budget: Budget,
        refuse: Callable[[Design], str],
        seed: int,
        say: Callable[[Trial], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self.proposer, self.recorder, self.budget = proposer, recorder, budget
        self._refuse, self._seed, self._say = refuse, seed, say
        self._interrupted = interrupted
        self._failures = 0
        self.why_ended = ""

    def propose(self) -> dict[str, Any] | None:
        """The config of the next trial; None when the search has no more to start."""
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

    def _start(self, design: Design, name: str, by: str) -> dict[str, Any]:
        # A design that was trained before is trained from a further seed.
        trials = self.recorder.state.trials
        seed = self._seed + sum(trial.design == design for trial in trials.values())
        number = self.recorder.start(design, seed, name=name, by=by)
        self.proposer.started(number, trials[number].parameters)
        return {"trial": number, "design": to_dict(design), "seed": seed}

    def heard(self, number: int, result: dict[str, Any]) -> None:
        """A trial's report: one epoch."""
        if number not in self.recorder.running():
            return
        trial = self.recorder.state.trials[number]
        self.recorder.epoch(number, result["epoch_result"])
        self.proposer.told_epoch(trial)
        if trial.epochs[-1]["val_accuracy"] is None:
            self.ended(number, failure="diverged")

    def ended(self, number: int, failure: str = "", reason: str = "") -> None:
        """A trial's end; told once, whoever tells it first."""
        if number not in self.recorder.running():
            return
        self.recorder.end(number, "failed" if failure else None, failure or reason)
        trial = self.recorder.state.trials[number]
        if self._failures < MOST_FAILURES:
            self._failures = self._failures + 1 if failure and not trial.epochs else 0
            if self._failures == MOST_FAILURES:
                self.why_ended = f"{MOST_FAILURES} trials in a row failed at their start: {failure}"
        self.proposer.told_end(trial)
        self._say(trial)

    def over(self) -> bool:
        """Whether the user or the budget ends all trials now."""
        if self._failures >= MOST_FAILURES:
            return True
        if self._interrupted():
            self.why_ended = "interrupted"
            return True
        spent = self.recorder.spent(self.budget)
        if spent:
            self.why_ended = f"the budget of {spent} is used up"
        return bool(spent)

    def end_all(self) -> None:
        """Ends the trials of which Tune did not tell."""
        for number in self.recorder.running():
            self.ended(number, reason=self.why_ended)


class _Local:
    """Keeps the conversation out of what Tune pickles into its scratch folder."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation: Conversation = conversation

    def __getstate__(self) -> dict[str, Any]:
        return {}


class Ask(_Local, Searcher):
    """Tune's searcher: the next trial's config."""

    def __init__(self, conversation: Conversation) -> None:
        _Local.__init__(self, conversation)
        Searcher.__init__(self, metric="val_accuracy", mode="max")

    def suggest(self, trial_id: str) -> Any:
        """The config for Tune's trial `trial_id`, or that there is no more."""
        return self.conversation.propose() or Searcher.FINISHED

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Told through Tell, with the trial itself."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the ledger is the truth."""


class Tell(_Local, Callback):
    """Tune's callback: what trials report, and how they end."""

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """An epoch of `trial`."""
        self.conversation.heard(trial.config["trial"], result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """`trial` was stopped, or came to its end."""
        stopped_by = self.conversation.why_ended if self.conversation.over() else EARLY
        self.conversation.ended(trial.config["trial"], reason=stopped_by)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """`trial` failed by itself, or its worker died."""
        self.conversation.ended(trial.config["trial"], failure=_cause(trial))


class BudgetStopper(_Local, Stopper):
    """Tune's stopper: everything when the budget is used up, and before that nothing."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        """Whether all trials end now."""
        return self.conversation.over()


def _cause(trial: Any) -> str:
    """What the trial's function raised, in a line: the last error that its traceback names."""
    path = trial.error_file
    text = Path(path).read_text() if path and Path(path).exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    if any("OutOfMemoryError" in line for line in errors):
        return "out_of_memory"
    return (errors or lines or ["its process died"])[-1][:300]

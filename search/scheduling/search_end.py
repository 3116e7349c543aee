"""Whether a search is over, and why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from search.record.recorder import Recorder, RecordError
from search.strategy.stopping_rule import Stopping
from search.terms.budget import Budget

MOST_FAILURES = 5
"""Trials in a row that fail without any epoch, or lanes in a row that do not start; then the search
ends."""


class SearchEnd:
    """Ends a search: a fault, the user, the budget, too little to gain, or failures alone."""

    def __init__(
        self,
        recorder: Recorder,
        budget: Budget,
        stopping: Stopping,
        interrupted: Callable[[], bool],
    ) -> None:
        self._recorder, self._budget = recorder, budget
        self._stopping, self._interrupted = stopping, interrupted
        self._promised = len(recorder.state.promises)
        """By earlier sessions."""
        self._failures = self._false_starts = 0
        self._groups: set[str] = set()
        """Worker groups that came up."""
        self._others_work = False
        """Whether there was an epoch since the first of the lanes in a row that did not start."""
        self.why = ""
        """For people; empty while it goes on."""
        self.fault = ""
        """What stopped the search where that is no result: it can be resumed."""

    def stop(self, fault: str) -> None:
        """The search ends softly, for something that is no result; the first such counts."""
        self.fault = self.why = self.fault or fault

    @contextmanager
    def recording(self) -> Iterator[None]:
        """While it is entered, a run's folder that cannot be written ends the search."""
        try:
            yield
        except RecordError as error:
            self.stop(str(error))

    def answered(self, group: str) -> None:
        """A worker group has trained; a new one has come up."""
        self._others_work = True
        if group not in self._groups:
            self._groups.add(group)
            self._false_starts = 0

    def did_not_start(self, reason: str) -> bool:
        """A lane's workers did not come up: whether that was once too often, while others work.
        Where none do, all ends."""
        self._others_work = self._others_work and self._false_starts > 0
        self._false_starts += 1
        if self._false_starts < MOST_FAILURES:
            return False
        self._false_starts = 0
        if not self._others_work:
            self.stop(f"{MOST_FAILURES} lanes in a row did not start: {reason}")
        return self._others_work

    def trial_ended(self, failure: str, *, epochs: bool) -> None:
        """A trial ended, by a `failure` or without, with any epochs or none."""
        if self._failures < MOST_FAILURES:
            self._failures = self._failures + 1 if failure and not epochs else 0
            if self._failures == MOST_FAILURES:
                self.why = f"{MOST_FAILURES} trials in a row failed at their start: {failure}"

    def is_due(self) -> bool:
        """Whether all ends now."""
        if self.fault or self._failures >= MOST_FAILURES:
            return True
        if self._interrupted():
            self.why = "interrupted"
            return True
        if self._stopping.is_due(self._recorder.state.promises[self._promised :]):
            self.why = str(self._stopping)
            return True
        spent = self._recorder.spent(self._budget)
        if spent:
            self.why = f"the budget of {spent} is used up"
        return bool(spent)

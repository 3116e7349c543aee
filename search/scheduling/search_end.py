"""The end conditions of a search: a fault of the run, the user's interrupt, the budget, too little
expected gain, or failures in a row; and the reason."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from search.record.recorder import Recorder, RecordError
from search.strategy.stopping_rule import Stopping
from search.terms.budget import Budget

MOST_FAILURES = 5
"""The search ends after so many trials in a row that fail without any epoch, or lanes in a row that
do not start."""


class SearchEnd:
    """Tells whether a search has to end now, and why."""

    def __init__(
        self,
        recorder: Recorder,
        budget: Budget,
        stopping: Stopping,
        interrupted: Callable[[], bool],
    ) -> None:
        self._recorder, self._budget = recorder, budget
        self._stopping, self._interrupted = stopping, interrupted
        self._earlier_gains = len(recorder.state.gain_records)
        """The number of expected gains that earlier sessions recorded; they do not count again."""
        self._failures = self._false_starts = 0
        self._groups: set[str] = set()
        """Names of the worker groups that have started."""
        self._others_work = False
        """Whether a lane answered since the first of the lanes in a row that did not start."""
        self.why = ""
        """The reason of the end, for people; empty while the search goes on."""
        self.fault = ""
        """The fault of the run that stopped the search, which can be resumed; empty without one."""

    def stop(self, fault: str) -> None:
        """Ends the search softly for a fault of the run; the first fault is kept."""
        self.fault = self.why = self.fault or fault

    @contextmanager
    def recording(self) -> Iterator[None]:
        """While entered, a RecordError (the run's folder cannot be written) ends the search."""
        try:
            yield
        except RecordError as error:
            self.stop(str(error))

    def answered(self, group: str) -> None:
        """Notes an answer of a worker group; the first one of a group shows that it has started."""
        self._others_work = True
        if group not in self._groups:
            self._groups.add(group)
            self._false_starts = 0

    def did_not_start(self, reason: str) -> bool:
        """Counts a lane whose workers did not start; True after MOST_FAILURES in a row while other
        lanes work: the lane is to be closed. Where none works, ends the search."""
        self._others_work = self._others_work and self._false_starts > 0
        self._false_starts += 1
        if self._false_starts < MOST_FAILURES:
            return False
        self._false_starts = 0
        if not self._others_work:
            self.stop(f"{MOST_FAILURES} lanes in a row did not start: {reason}")
        return self._others_work

    def trial_ended(self, failure: str, *, epochs: bool) -> None:
        """Counts trials in a row that ended with a `failure` before any epoch."""
        if self._failures < MOST_FAILURES:
            self._failures = self._failures + 1 if failure and not epochs else 0
            if self._failures == MOST_FAILURES:
                self.why = f"{MOST_FAILURES} trials in a row failed at their start: {failure}"

    def is_due(self) -> bool:
        """Whether the search has to end now; sets `why`."""
        if self.fault or self._failures >= MOST_FAILURES:
            return True
        if self._interrupted():
            self.why = "interrupted"
            return True
        if self._stopping.is_due(self._recorder.state.gain_records[self._earlier_gains :]):
            self.why = str(self._stopping)
            return True
        spent = self._recorder.spent(self._budget)
        if spent:
            self.why = f"the budget of {spent} is used up"
        return bool(spent)

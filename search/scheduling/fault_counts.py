"""Counts faults of machines in a row: of a trial, of a lane, and of all lanes together."""

from collections import Counter, defaultdict

MOST_OF_A_TRIAL = 3
"""In a row, without an epoch between: then the trial is set aside, for it may be the one that
brings its lanes down."""
MOST_OF_A_LANE = 3
"""In a row, of two trials at least: then it is the lane."""
MOST_OF_ALL = 3
"""For each lane, in a row without any epoch between: then nothing works any more."""


class FaultCounts:
    """Faults since the last epoch that went well."""

    def __init__(self) -> None:
        self._of_trials: Counter[int] = Counter()
        self._of_lanes: defaultdict[str, list[int]] = defaultdict(list)
        """Trials that had a fault in a lane."""
        self.in_a_row = 0
        """Of all trials and lanes."""

    def add(self, trial: int, lane: str) -> None:
        """A trial had a fault; `lane` is empty where that is not known."""
        self._of_trials[trial] += 1
        self.in_a_row += 1
        if lane:
            self._of_lanes[lane].append(trial)

    def went_well(self, trial: int, lane: str) -> None:
        """An epoch of a trial went well, or was the end of its design."""
        self._of_trials.pop(trial, None)
        self._of_lanes.pop(lane, None)
        self.in_a_row = 0

    def forget_trial(self, trial: int) -> None:
        """A trial is no longer tried."""
        self._of_trials.pop(trial, None)

    def blames_trial(self, trial: int) -> bool:
        """Whether the trial is to be set aside."""
        return self._of_trials[trial] >= MOST_OF_A_TRIAL

    def blames_lane(self, lane: str) -> bool:
        """Whether the lane is to be closed."""
        there = self._of_lanes.get(lane, [])
        return len(there) >= MOST_OF_A_LANE and len(set(there)) > 1

    def blames_all(self, lanes: int) -> bool:
        """Whether all of the `lanes` that there can be fail."""
        return self.in_a_row >= MOST_OF_ALL * max(lanes, 1) + 2

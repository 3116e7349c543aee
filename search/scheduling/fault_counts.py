"""Counts consecutive machine faults by trial, by lane and in all, and tells which is to blame."""

from collections import Counter, defaultdict

MOST_OF_A_TRIAL = 3
"""After so many in a row, without a good epoch between, a trial is set aside: it may be what
crashes its lanes."""
MOST_OF_A_LANE = 3
"""After so many in a row, of two trials at least, a lane is closed."""
MOST_OF_ALL = 3
"""After about so many for each lane, in a row without any good epoch, the search ends."""


class FaultCounts:
    """Machine faults of each trial and lane since its last good epoch."""

    def __init__(self) -> None:
        self._of_trials: Counter[int] = Counter()
        self._of_lanes: defaultdict[str, list[int]] = defaultdict(list)
        """By lane, the trials of its faults, in order."""
        self.in_a_row = 0
        """Consecutive faults of all trials and lanes."""

    def add(self, trial: int, lane: str) -> None:
        """Counts a fault of a trial; `lane` is empty where it is unknown or not to blame."""
        self._of_trials[trial] += 1
        self.in_a_row += 1
        if lane:
            self._of_lanes[lane].append(trial)

    def went_well(self, trial: int, lane: str) -> None:
        """Resets the counts after a good epoch, or a failure that the design itself caused."""
        self._of_trials.pop(trial, None)
        self._of_lanes.pop(lane, None)
        self.in_a_row = 0

    def forget_trial(self, trial: int) -> None:
        """Drops the count of a trial that is set aside."""
        self._of_trials.pop(trial, None)

    def blames_trial(self, trial: int) -> bool:
        """Whether the trial is to be set aside."""
        return self._of_trials[trial] >= MOST_OF_A_TRIAL

    def blames_lane(self, lane: str) -> bool:
        """Whether the lane is to be closed."""
        there = self._of_lanes.get(lane, [])
        return len(there) >= MOST_OF_A_LANE and len(set(there)) > 1

    def blames_all(self, lanes: int) -> bool:
        """Whether there are so many consecutive faults that all `lanes` lanes must be failing."""
        return self.in_a_row >= MOST_OF_ALL * max(lanes, 1) + 2

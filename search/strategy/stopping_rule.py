"""When more is not worth it: the search ends when what it can gain costs too much."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.quantities import count
from search.terms.price import bill
from search.terms.promise import GainRecord
from search.terms.rungs import rungs_of

WINDOW = 12
"""So many decisions in a row must promise too little; where trials pause, of both kinds."""
FORMS = '"0.5 points per gpuh", per coreh, or per money'
_PATTERN = re.compile(r"(?P<points>\d+(?:\.\d+)?) *points? +per +(?P<unit>gpuh|coreh|money|[$€£])")


@dataclass(frozen=True)
class Stopping:
    """Ends a search when a unit of cost is expected to bring less than so much accuracy."""

    points: float
    """Percentage points of validation accuracy; 0 for a search that is not ended."""
    unit: str = "gpuh"
    """gpuh, coreh or money."""
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    price: float | None = None
    pauses: bool = True
    """Whether trials pause, so that there are two kinds of decisions to wait for."""

    def is_due(self, promises: Sequence[GainRecord]) -> bool:
        """Whether the newest decisions promised too little."""
        return self.points > 0 and self.offered(promises) < self.points

    def offered(self, promises: Sequence[GainRecord]) -> float:
        """The most points a unit of cost that the newest decisions promised; infinite while there
        are too few, or where trials pause only one of the two kinds among them."""
        newest = promises[-WINDOW:]
        kinds = {promise.new for promise in newest}
        if len(newest) < WINDOW or len(kinds) < 1 + self.pauses:
            return math.inf
        return max(self._rate(promise) for promise in newest)

    def first_due(self, promises: Sequence[GainRecord]) -> int | None:
        """The decision at which a search would have ended, by its place among `promises`."""
        for end in range(1, len(promises) + 1):
            if self.is_due(promises[max(0, end - WINDOW) : end]):
                return end - 1
        return None

    def cost(self, seconds: float) -> float:
        """Worker-seconds in the unit."""
        used = bill(seconds, self.cpus_per_worker, self.gpus_per_worker, self.price)
        amounts = {"gpuh": used.gpu_hours, "coreh": used.cpu_core_hours, "money": used.cost}
        return amounts[self.unit] or 0.0

    def _rate(self, promise: GainRecord) -> float:
        cost = self.cost(promise.seconds)
        return promise.points / cost if cost else math.inf

    def __str__(self) -> str:
        gain = count(self.points, "point")
        return f"no action is expected to gain {gain} per {self.unit} any more"


NEVER = Stopping(0.0)


def can_pause(max_epochs: int | None) -> bool:
    """Whether a trial so long has a rung before its end."""
    return max_epochs is None or len(rungs_of(max_epochs)) > 1


def parse(text: str) -> tuple[float, str]:
    """Points and unit of a text such as "0.5 points per gpuh"; ValueError for others."""
    match = _PATTERN.fullmatch(text.strip().lower())
    if match is None or float(match["points"]) <= 0:
        raise ValueError(f"--stop-when-gain-below {text!r} cannot be read: give {FORMS}")
    unit = match["unit"]
    return float(match["points"]), "money" if unit in "$€£" else unit

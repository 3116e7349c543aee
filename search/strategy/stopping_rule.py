"""The stopping rule of a search (--stop-when-gain-below): ends it when the expected gain per unit
of cost is below a threshold."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.quantities import count
from models.rungs import rungs_of
from search.terms.gain_record import GainRecord
from search.terms.price import bill

WINDOW = 12
"""So many decisions in a row must have too low an expected gain; where trials pause, both new
trials and promotions must be among them."""
FORMS = '"0.5 points per gpuh", per coreh, or per money'
_PATTERN = re.compile(r"(?P<points>\d+(?:\.\d+)?) *points? +per +(?P<unit>gpuh|coreh|money|[$€£])")


@dataclass(frozen=True)
class Stopping:
    """A threshold on the expected gain per unit of cost, below which a search ends."""

    points: float
    """The threshold: percentage points of validation accuracy per unit; 0 for no stopping rule."""
    unit: str = "gpuh"
    """The unit of cost: gpuh, coreh or money."""
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    price: float | None = None
    """Per GPU-hour where workers have GPUs, else per CPU-core-hour."""
    pauses: bool = True
    """Whether trials pause at rungs, so that both new trials and promotions are awaited."""

    def is_due(self, records: Sequence[GainRecord]) -> bool:
        """Whether the search ends: the newest decisions all have too low an expected gain."""
        return self.points > 0 and self.offered(records) < self.points

    def offered(self, records: Sequence[GainRecord]) -> float:
        """The highest expected gain of the newest decisions, in points per unit of cost; infinite
        while there are fewer than WINDOW, or, where trials pause, only one kind among them."""
        newest = records[-WINDOW:]
        kinds = {record.new for record in newest}
        if len(newest) < WINDOW or len(kinds) < 1 + self.pauses:
            return math.inf
        return max(self._rate(record) for record in newest)

    def first_due(self, records: Sequence[GainRecord]) -> int | None:
        """The index among `records` of the decision at which the rule would have ended the
        search; None where it would not have."""
        for end in range(1, len(records) + 1):
            if self.is_due(records[max(0, end - WINDOW) : end]):
                return end - 1
        return None

    def cost(self, seconds: float) -> float:
        """Converts worker-seconds to the unit of cost."""
        used = bill(seconds, self.cpus_per_worker, self.gpus_per_worker, self.price)
        amounts = {"gpuh": used.gpu_hours, "coreh": used.cpu_core_hours, "money": used.cost}
        return amounts[self.unit] or 0.0

    def _rate(self, record: GainRecord) -> float:
        cost = self.cost(record.seconds)
        return record.points / cost if cost else math.inf

    def __str__(self) -> str:
        gain = count(self.points, "point")
        return f"no action is expected to gain {gain} per {self.unit} any more"


NEVER = Stopping(0.0)


def can_pause(max_epochs: int | None) -> bool:
    """Whether a trial of so many epochs has a rung before its last epoch; None counts as yes."""
    return max_epochs is None or len(rungs_of(max_epochs)) > 1


def parse(text: str) -> tuple[float, str]:
    """Parses a text such as "0.5 points per gpuh" into points and unit; ValueError for others."""
    match = _PATTERN.fullmatch(text.strip().lower())
    if match is None or float(match["points"]) <= 0:
        raise ValueError(f"--stop-when-gain-below {text!r} cannot be read: give {FORMS}")
    unit = match["unit"]
    return float(match["points"]), "money" if unit in "$€£" else unit

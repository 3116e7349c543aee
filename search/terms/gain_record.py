"""The expected gain of a decision as recorded: its fields in the ledger, and the record read back.

The stopping rule of search/strategy/stopping_rule.py works on these records.
"""

from dataclasses import dataclass, field

from search.terms.accounts import Held
from search.terms.actions import ExpectedGain


@dataclass(frozen=True)
class GainRecord:
    """Expected gain and cost of a decision, with the incumbent and the training spent by then."""

    points: float
    """Expected improvement of accuracy over the incumbent, percentage points."""
    seconds: float
    """Expected worker-seconds of training until the design's last epoch."""
    new: bool
    """Whether the decision started a new trial; False where it promoted a paused one."""
    best_accuracy: float
    """The incumbent's accuracy, 0..1; balanced where that is the objective, 0 without a result."""
    spent_seconds: float
    """Worker-seconds of training until then."""
    spent: Held = field(default_factory=dict)
    """The same by share."""


def fields_of(expected: ExpectedGain | None) -> dict[str, float]:
    """The fields of a decision line in the ledger; none for an action without an expected gain."""
    if expected is None:
        return {}
    return {"gain_points": round(expected.points, 6), "gain_seconds": round(expected.seconds, 3)}

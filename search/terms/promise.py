"""What an action promised when it was decided on: as the ledger has it, and as it is read."""

from dataclasses import dataclass, field

from search.terms.accounts import Held
from search.terms.actions import ExpectedGain


@dataclass(frozen=True)
class GainRecord:
    """What the best next action promised when it was decided on, and what was known then."""

    points: float
    """Expected gain of accuracy, percentage points."""
    seconds: float
    """Expected worker-seconds of training for it."""
    new: bool
    """Whether it began a design, or went on with a trial."""
    best_accuracy: float
    """Of all results until then; balanced where that is what is optimised."""
    spent_seconds: float
    """Worker-seconds of training until then."""
    spent: Held = field(default_factory=dict)
    """The same by what the workers held."""


def fields_of(expected: ExpectedGain | None) -> dict[str, float]:
    """Of a decision line; none of an action about which nothing was expected."""
    if expected is None:
        return {}
    return {"gain_points": round(expected.points, 6), "gain_seconds": round(expected.seconds, 3)}

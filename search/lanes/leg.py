"""A leg: one stay of a trial in a lane, from a checkpoint to a rung or the trial's end."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from models.design import to_dict
from search.record.state import Trial


@dataclass(frozen=True)
class Leg:
    """A unit of work for a lane: a trial, its design, and the epochs from which and to which it is
    trained. It is the config of a Tune trial."""

    trial: int
    design: dict[str, Any]
    """The fields of the design, as models.design.to_dict gives them."""
    seed: int
    from_epoch: int = 0
    """The epoch whose checkpoint is loaded; 0 to begin without one."""
    to_epoch: int = 0
    """The epoch after which the trial pauses (its next rung); 0 for the design's last epoch."""

    def to_config(self) -> dict[str, Any]:
        """The leg as a config of Ray Tune; `from_config` is the inverse."""
        return dataclasses.asdict(self)


def from_config(config: dict[str, Any]) -> Leg:
    """The leg in a config of Ray Tune."""
    return Leg(**config)


def leg_of(trial: Trial) -> Leg:
    """The leg with which a trial goes on after its newest epoch."""
    return Leg(trial.trial, to_dict(trial.design), trial.seed, trial.last_epoch, trial.to_epoch)

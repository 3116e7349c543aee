"""A leg: one stay of a trial in a lane, from a checkpoint on."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from models.design import to_dict
from search.record.state import Trial


@dataclass(frozen=True)
class Leg:
    """Which trial a lane trains, and after which epoch it goes on."""

    trial: int
    design: dict[str, Any]
    """The fields of the design, as models.design.to_dict gives them."""
    seed: int
    from_epoch: int = 0
    """The epoch whose checkpoint is loaded; 0 to begin."""
    to_epoch: int = 0
    """The epoch after which it pauses; 0 where that is not known: its design's last."""

    def to_config(self) -> dict[str, Any]:
        """As Ray Tune carries it."""
        return dataclasses.asdict(self)


def from_config(config: dict[str, Any]) -> Leg:
    """The leg that `config` carries."""
    return Leg(**config)


def leg_of(trial: Trial) -> Leg:
    """The leg with which a trial goes on after its newest epoch."""
    return Leg(trial.trial, to_dict(trial.design), trial.seed, trial.last_epoch, trial.to_epoch)

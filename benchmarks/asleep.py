"""A Ray Tune trainable that stands in for a lane: it sleeps, and makes its results up.

A file of its own, of few imports: a process that sleeps then holds little memory, and sixty of them
fit on one machine.
"""

import math
import time
from random import Random
from typing import Any

import ray
import ray.tune

from models.design import Design, from_dict
from search.lanes.leg import from_config

EPOCH_SECONDS = 30.0


class Asleep(ray.tune.Trainable):
    """A lane that sleeps for an epoch's time, and makes its result up."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begins with the leg in `config`."""
        self._random = Random(str(config))
        self._lane = ray.get_runtime_context().get_actor_id()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begins with the next leg, in the same actor."""
        leg = from_config(new_config)
        self._design, self._epoch, self._trial = from_dict(leg.design), leg.from_epoch, leg.trial
        return True

    def step(self) -> dict[str, Any]:
        """One epoch: sleeps, then reports a made-up result."""
        time.sleep(epoch_seconds(self._random))
        self._epoch += 1
        line = epoch_line(self._design, self._epoch, self._random)
        return {"answer": (line, self._trial, self._lane, self._lane)}


def epoch_seconds(random: Random) -> float:
    """Random duration of an epoch, seconds."""
    return EPOCH_SECONDS * random.uniform(0.8, 1.2)


def epoch_line(design: Design, epoch: int, random: Random) -> dict[str, Any]:
    """A made-up epoch line of the ledger; its accuracies depend on the design's learning rate."""
    away = abs(math.log10(design.learning_rate) + 3)
    reached = 0.85 - 0.1 * away - 0.3 / (1 + epoch) + random.gauss(0, 0.01)
    return {
        "epoch": epoch,
        "train_loss": 1.0,
        "train_accuracy": reached,
        "val_loss": 1.0,
        "val_accuracy": reached,
        "train_seconds": EPOCH_SECONDS,
        "eval_seconds": 1.0,
        "images_per_second": 1500.0,
        "peak_memory_bytes": 10**9,
        "precision": "fp32",
        "device": "cpu",
    }

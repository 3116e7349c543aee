"""A prior over the design space: which hyperparameter values usually work for small networks.

New designs are drawn from it, as experts' priors are in PriorBand (arXiv 2306.12370). No value is
excluded: a part of the designs, and of the values of the others, is drawn uniformly. What it holds
is common to the fastest known trainings of small image classifiers: blocks of 3x3 convolutions that
double, batch norm, Nesterov momentum, a learning rate that falls to zero, weight decay, flip and
crop.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from search.space.random_sampling import RandomSuggest, position_of

UNIFORM_DESIGNS = 0.1
"""The part of all designs that is drawn uniformly."""
UNIFORM_VALUES = 0.05
"""The part of the values of the other designs that is drawn uniformly."""


@dataclass(frozen=True)
class Around:
    """A normal distribution of a number's position in its range, on the scale on which it is
    searched; what would lie beyond an end lies at that end."""

    centre: float
    deviation: float
    """As a part of the range, 0..1."""


NUMBERS: Mapping[str, Around] = {
    "blocks": Around(3.5, 0.15),
    "first_kernels": Around(28, 0.2),
    "kernels": Around(64, 0.2),
    "dense_layers": Around(0, 0.2),
    "flat_dropout": Around(0.1, 0.2),
    "block_dropout": Around(0.0, 0.25),
    "dense_dropout": Around(0.2, 0.3),
    "sgd_learning_rate": Around(0.08, 0.12),
    "adaptive_learning_rate": Around(2e-3, 0.15),
    "momentum": Around(0.9, 0.15),
    "weight_decay": Around(5e-4, 0.12),
    "label_smoothing": Around(0.05, 0.3),
}
WEIGHTS: Mapping[str, Mapping[Any, float]] = {
    "doubling": {True: 0.85, False: 0.15},
    "pooled": {True: 0.9, False: 0.1},
    "batch_norm": {True: 0.9, False: 0.1},
    "batch_size": {32: 0.15, 64: 0.35, 128: 0.4, 256: 0.1},
    "optimizer": {"nesterov": 0.6, "momentum": 0.1, "adamw": 0.15, "adam": 0.15},
    "schedule": {
        "cycles": 0.85,
        "triangular": 0.05,
        "one_cycle": 0.02,
        "cosine": 0.03,
        "constant": 0.05,
    },
    "decay": {True: 0.85, False: 0.15},
    "augmentation": {"flip_crop": 0.75, "flip": 0.05, "none": 0.15, "flip_crop_cutout": 0.05},
    "normalisation": {"standardise": 0.9, "scale": 0.1},
    "initialisation": {"whitened": 0.6, "dirac": 0.3, "glorot": 0.1},
}


class PriorSuggest(RandomSuggest):
    """Draws each value from the prior of its name (without a number at its end), or uniformly."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._uniform = random.random() < UNIFORM_DESIGNS

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        weights = WEIGHTS.get(name)
        if weights is None or self._is_uniform():
            return super().suggest_categorical(name, choices)
        known = [weights.get(choice, 0.0) for choice in choices]
        return self.random.choices(choices, known)[0] if any(known) else self.random.choice(choices)

    def _position(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        around = NUMBERS.get(re.sub(r"(_\d+)+$", "", name))
        if around is None or high == low or self._is_uniform():
            return self.random.random()
        centre = position_of(min(max(around.centre, low), high), low, high, log=log)
        position = centre + self.random.gauss(0, around.deviation)
        return min(max(position, 0.0), 1 - 1e-12)

    def _is_uniform(self) -> bool:
        return self._uniform or self.random.random() < UNIFORM_VALUES

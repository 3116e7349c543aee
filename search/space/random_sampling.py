"""Random sampling of designs, uniform or in the neighbourhood of a known one, and the seeding of
random numbers."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

KEEP = 0.5
"""The probability that a known value is kept unchanged."""
STEPS = (0.1, 0.5)
"""Range of the standard deviation with which the others are perturbed, as a fraction of their
range; drawn log-uniformly once per `NeighbourSuggest`."""


def random_for(*key: int) -> Random:
    """A random generator seeded by `key` alone, such as a seed and the number of a decision."""
    return Random(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]))


class RandomSuggest:
    """A `Suggest` that samples uniformly, on the hyperparameter's linear or logarithmic scale."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number, low to high."""
        if not log:
            return low + step * int(self._position(name, low, high) * ((high - low) // step + 1))
        value = _at(self._position(name, low, high, log=True), low - 0.5, high + 0.5, log=True)
        return min(high, max(low, round(value)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number, low to high."""
        place = self._position(name, low, high, log=log)
        if step is None:
            return min(high, max(low, _at(place, low, high, log=log)))
        steps = round((high - low) / step)
        return min(high, low + step * int(place * (steps + 1)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self.random.choice(choices)

    def _position(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """The position of the value in its range, in [0, 1)."""
        return self.random.random()


class NeighbourSuggest(RandomSuggest):
    """A `Suggest` for local search: each known value is kept or perturbed by Gaussian noise, a
    known category is kept or drawn anew, and unknown values are uniform."""

    def __init__(self, random: Random, answers: Mapping[str, Any]) -> None:
        super().__init__(random)
        self._answers = answers
        low, high = map(math.log, STEPS)
        self._step = math.exp(random.uniform(low, high))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number, low to high."""
        known = self._kept(name)
        if known is not None and low <= known <= high:
            return int(known)
        return super().suggest_int(name, low, high, step=step, log=log)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number, low to high."""
        known = self._kept(name)
        if known is not None and low <= known <= high:
            return float(known)
        return super().suggest_float(name, low, high, step=step, log=log)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        known = self._kept(name)
        return known if known in choices else super().suggest_categorical(name, choices)

    def _kept(self, name: str) -> Any:
        return self._answers.get(name) if self.random.random() < KEEP else None

    def _position(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        known = self._answers.get(name)
        if known is None or not low <= known <= high or high == low:
            return self.random.random()
        position = position_of(known, low, high, log=log) + self.random.gauss(0, self._step)
        return min(max(position, 0.0), 1 - 1e-12)


def _at(place: float, low: float, high: float, *, log: bool) -> float:
    if log:
        return math.exp(_at(place, math.log(low), math.log(high), log=False))
    return low + place * (high - low)


def position_of(value: float, low: float, high: float, *, log: bool) -> float:
    """The position in 0..1 of a value in its range, on a logarithmic scale with `log`."""
    if log:
        return position_of(math.log(value), math.log(low), math.log(high), log=False)
    return (value - low) / (high - low)

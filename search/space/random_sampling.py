"""Who answers a space's questions without a model: chance, and what lies near known answers."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

KEEP = 0.5
"""How probably a known answer is kept as it is."""
STEPS = (0.1, 0.5)
"""Of the others the standard deviation, as a part of the range; drawn once a design, log scale."""


def random_for(*key: int) -> Random:
    """Random numbers that follow from `key` alone: a seed, and the number of a decision."""
    return Random(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]))


class RandomSuggest:
    """Answers at random, each value of a scale as probable as the next."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number, low to high."""
        if not log:
            return low + step * int(self._place(name, low, high) * ((high - low) // step + 1))
        value = _at(self._place(name, low, high, log=True), low - 0.5, high + 0.5, log=True)
        return min(high, max(low, round(value)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number, low to high."""
        place = self._place(name, low, high, log=log)
        if step is None:
            return min(high, max(low, _at(place, low, high, log=log)))
        steps = round((high - low) / step)
        return min(high, low + step * int(place * (steps + 1)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self.random.choice(choices)

    def _place(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Where in the range the answer lies, 0 to 1 (without 1)."""
        return self.random.random()


class NeighbourSuggest(RandomSuggest):
    """Answers near known ones: each is kept or moved a little, and unknown ones are random."""

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

    def _place(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        known = self._answers.get(name)
        if known is None or not low <= known <= high or high == low:
            return self.random.random()
        place = _place_of(known, low, high, log=log) + self.random.gauss(0, self._step)
        return min(max(place, 0.0), 1 - 1e-12)


def _at(place: float, low: float, high: float, *, log: bool) -> float:
    if log:
        return math.exp(_at(place, math.log(low), math.log(high), log=False))
    return low + place * (high - low)


def _place_of(value: float, low: float, high: float, *, log: bool) -> float:
    if log:
        return _place_of(math.log(value), math.log(low), math.log(high), log=False)
    return (value - low) / (high - low)

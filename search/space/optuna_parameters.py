"""A design as Optuna's parameters and distributions, to add known trials to an Optuna study."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search.terms.actions import D, Space


class _KnownAnswers:
    """A `Suggest` that returns given values, and records each parameter with its distribution."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.params: dict[str, Any] = {}
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        known = round(self._answers.get(name, low))
        nearest = low + step * round((min(max(known, low), high) - low) / step)
        return self._note(name, nearest, IntDistribution(low, high, log=log, step=step))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        known = min(max(float(self._answers.get(name, low)), low), high)
        if step is not None:
            known = min(high, low + step * round((known - low) / step))
        return self._note(name, known, FloatDistribution(low, high, log=log, step=step))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        known = self._answers.get(name)
        nearest = known if known in choices else choices[0]
        return self._note(name, nearest, CategoricalDistribution(choices))

    def _note(self, name: str, value: Any, distribution: BaseDistribution) -> Any:
        self.params[name], self.distributions[name] = value, distribution
        return value


def parameters_of(space: Space[D], design: D) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """The parameters of a design of the space, by name, and their Optuna distributions.

    Values outside the space are replaced by the nearest inside.
    """
    known = _KnownAnswers(space.answers(design))
    space.sample(known)
    return known.params, known.distributions

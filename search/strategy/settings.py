"""The settings of a search strategy, and the rule by which one may stop trials early."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from search.strategy.optuna_sampler import SamplerSettings

Searcher = Literal["curves", "tpe", "gp", "random"]
Scheduler = Literal["promote", "asha", "none"]


class EarlyStop(Protocol):
    """An early-stopping rule: ends trials for good by their intermediate accuracies."""

    def goes_on(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Whether a trial is trained further after an epoch; asked once for each."""


@dataclass(frozen=True)
class StrategySettings:
    """Settings of a search strategy."""

    searcher: Searcher = "curves"
    """What proposes designs: expected improvement over learning-curve forecasts ("curves"),
    Optuna's TPE or Gaussian process, or random search."""
    scheduler: Scheduler = "promote"
    """Whether trials pause at rungs and are promoted, are stopped early by ASHA, or are trained to
    their last epochs."""
    seed: int = 0
    second: str = ""
    """The second objective beside accuracy; empty for none."""
    per_cost: bool = False
    """Whether expected improvement is divided by expected cost, for searcher "curves" only; within
    a limit of time it always is."""
    random_share: float = 0.1
    """The share of designs sampled without a model after the startup."""
    startup: int = 8
    """The number of first trials that are known or random designs, before a model is used."""
    plans_time: bool = False
    """Whether a limit of time is planned (search/planning), for spaces with designs in one
    learning-rate cycle; else it only ends the search."""
    sampler: SamplerSettings = field(default_factory=SamplerSettings)

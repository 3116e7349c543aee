"""Baseline strategies for comparisons: random search, ASHA, Optuna's TPE, and others, each as
published or as its library implements it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from search.replay.curve_table import CurveTable, Point, TableSpace
from search.space.random_sampling import RandomSuggest, random_for
from search.strategy.fixed_designs import NonLearningStrategy
from search.strategy.optuna_sampler import SamplerSettings, Tpe
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import Scheduler, Searcher, StrategySettings
from search.terms.actions import D, Resume, Space, Start, Strategy
from search.terms.time_left import TimeLeft

ALL = 10_000
"""A limit on a sampler's trials that is never reached."""
TRIED, KEPT = 60, 3
"""A round of `OneEpochEach`: so many designs for one epoch, then so many of them to the end."""

MakeStrategy = Callable[[CurveTable, TableSpace, int], Strategy[Point]]


class Shuffled(NonLearningStrategy[Point]):
    """Random search without replacement: the table's configurations in random order, each trained
    to its last epoch."""

    def __init__(self, table: CurveTable, seed: int) -> None:
        self._left = [tuple(point) for point in table.points.tolist()]
        Random(seed).shuffle(self._left)
        self._epochs = table.epochs

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Start[Point] | None:
        """Starts the next configuration."""
        return Start(self._left.pop(), self._epochs, "random") if new and self._left else None


@dataclass
class _Round:
    """A round of TRIED designs with one epoch each."""

    begun: int = 0
    accuracies: dict[int, float] = field(default_factory=dict)
    left: list[int] | None = None
    """The best trials, yet to be trained to the end; None until the round is complete."""


class OneEpochEach(NonLearningStrategy[D]):
    """Random search with a one-epoch screening: of each 60 random designs, trained for one epoch,
    the best three are trained to the end."""

    def __init__(self, space: Space[D], seed: int) -> None:
        self._space, self._random = space, random_for(seed)
        self._rounds: list[_Round] = [_Round()]
        self._round_of: dict[int, _Round] = {}

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Start[D] | Resume | None:
        """Promotes the best trials of a complete round, else starts a random design."""
        for each in self._rounds:
            if each.left is None and len(each.accuracies) == TRIED:
                order = sorted(each.accuracies, key=lambda trial: -each.accuracies[trial])
                each.left = order[:KEPT]
            if each.left:
                return Resume(each.left.pop(0), self._space.max_epochs)
        if not new:
            return None
        if self._rounds[-1].begun == TRIED:
            self._rounds.append(_Round())
        return Start(self._space.sample(RandomSuggest(self._random)), 1, "random")

    def last_resort(self) -> Resume | None:
        """Promotes the best trials of a round that no further design can complete."""
        unfinished = self._rounds[-1]
        if unfinished.left is None and unfinished.accuracies:
            order = sorted(unfinished.accuracies, key=lambda t: -unfinished.accuracies[t])
            unfinished.left = order[:KEPT]
        if unfinished.left:
            return Resume(unfinished.left.pop(0), self._space.max_epochs)
        return None

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """A trial has started: it belongs to the newest round."""
        self._rounds[-1].begun += 1
        self._round_of[trial] = self._rounds[-1]

    def told(
        self,
        trial: int,
        epoch: int,
        accuracy: float | None,
        seconds: float,
        evaluation: float = 0.0,
    ) -> None:
        """An epoch's result; only the first epoch's counts."""
        if epoch == 1:
            self._round_of[trial].accuracies[trial] = accuracy or 0.0


def _ours(searcher: Searcher) -> MakeStrategy:
    return lambda table, space, seed: SearchStrategy(space, StrategySettings(searcher, seed=seed))


def _tpe(kind: Tpe) -> MakeStrategy:
    return lambda table, space, seed: SearchStrategy(space, _optunas("none", seed, kind))


def _asha(searcher: Searcher, reduction: int, grace: int) -> MakeStrategy:
    def make(table: CurveTable, space: TableSpace, seed: int) -> SearchStrategy[Point]:
        from search.strategy.early_stopping import Asha  # imports Ray, which is slow

        settings = replace(_optunas("asha", seed), searcher=searcher)
        return SearchStrategy(space, settings, early=Asha(table.epochs, reduction, grace))

    return make


def _optunas(scheduler: Scheduler, seed: int, tpe: Tpe = "grouped") -> StrategySettings:
    """Settings of TPE as in Optuna: it learns from all trials, the first ten of them random."""
    sampler = SamplerSettings(most_trials=ALL, tpe=tpe)
    return StrategySettings("tpe", scheduler, seed, random_share=0, startup=10, sampler=sampler)


STRATEGIES: dict[str, Sequence[tuple[str, MakeStrategy]]] = {
    "random": [("", lambda table, space, seed: Shuffled(table, seed))],
    "one-epoch-60": [("", lambda table, space, seed: OneEpochEach(space, seed))],
    "asha": [
        (f"reduction {reduction}, grace {grace}", _asha("random", reduction, grace))
        for reduction in (3, 4)
        for grace in (1, 3)
    ],
    "tpe": [
        ("default", _tpe("default")),
        ("multivariate, grouped", _tpe("grouped")),
        ("univariate", _tpe("univariate")),
    ],
    "tpe-asha": [("reduction 3, grace 1", _asha("tpe", 3, 1))],
    "promote-random": [("", _ours("random"))],
    "promote-tpe": [("", _ours("tpe"))],
    "promote-gp": [("", _ours("gp"))],
    "default": [("", _ours("curves"))],
}
"""By name: the variants of each strategy, of which the best one is reported."""

COMPARED = ("random", "one-epoch-60", "asha", "tpe", "tpe-asha", "default")
"""The strategies that are compared by default."""

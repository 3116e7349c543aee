"""Strategies to measure ours by, each as it is known or as its library has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from search.replay.curve_table import CurveTable, Point, TableSpace
from search.space.random_sampling import RandomSuggest, random_for
from search.strategy.fixed_designs import NonLearningStrategy
from search.strategy.optuna_sampler import SamplerSettings, Tpe
from search.strategy.search_strategy import Scheduler, Searcher, SearchStrategy, StrategySettings
from search.terms.actions import D, Resume, Space, Start, Strategy

ALL = 10_000
"""A sampler that learns from so many trials learns from all."""
TRIED, KEPT = 60, 3
"""One epoch for so many, then so many in full."""

MakeStrategy = Callable[[CurveTable, TableSpace, int], Strategy[Point]]


class Shuffled(NonLearningStrategy[Point]):
    """Random search as it is scored: the table's configurations in random order, each in full."""

    def __init__(self, table: CurveTable, seed: int) -> None:
        self._left = [tuple(point) for point in table.points.tolist()]
        Random(seed).shuffle(self._left)
        self._epochs = table.epochs

    def next(self, *, new: bool = True) -> Start[Point] | None:
        """The next one."""
        return Start(self._left.pop(), self._epochs, "random") if new and self._left else None


@dataclass
class _Round:
    """So many designs with one epoch each."""

    begun: int = 0
    accuracies: dict[int, float] = field(default_factory=dict)
    left: list[int] | None = None
    """The best, that are to be trained in full."""


class OneEpochEach(NonLearningStrategy[D]):
    """Random designs: one epoch for each of 60, the best three in full, and again."""

    def __init__(self, space: Space[D], seed: int) -> None:
        self._space, self._random = space, random_for(seed)
        self._rounds: list[_Round] = [_Round()]
        self._round_of: dict[int, _Round] = {}

    def next(self, *, new: bool = True) -> Start[D] | Resume | None:
        """The best of a round that is complete, else a further design."""
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
        """The best of what there is, where no design is left to fill a round."""
        unfinished = self._rounds[-1]
        if unfinished.left is None and unfinished.accuracies:
            order = sorted(unfinished.accuracies, key=lambda t: -unfinished.accuracies[t])
            unfinished.left = order[:KEPT]
        if unfinished.left:
            return Resume(unfinished.left.pop(0), self._space.max_epochs)
        return None

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """It belongs to the newest round."""
        self._rounds[-1].begun += 1
        self._round_of[trial] = self._rounds[-1]

    def told(self, trial: int, epoch: int, accuracy: float | None, seconds: float) -> None:
        """The first epoch counts."""
        if epoch == 1:
            self._round_of[trial].accuracies[trial] = accuracy or 0.0


def _ours(searcher: Searcher) -> MakeStrategy:
    return lambda table, space, seed: SearchStrategy(space, StrategySettings(searcher, seed=seed))


def _tpe(kind: Tpe) -> MakeStrategy:
    return lambda table, space, seed: SearchStrategy(space, _optunas("none", seed, kind))


def _asha(searcher: Searcher, reduction: int, grace: int) -> MakeStrategy:
    def make(table: CurveTable, space: TableSpace, seed: int) -> SearchStrategy[Point]:
        from search.strategy.early_stopping import Asha  # Ray's own, which takes its time to import

        settings = replace(_optunas("asha", seed), searcher=searcher)
        return SearchStrategy(space, settings, early=Asha(table.epochs, reduction, grace))

    return make


def _optunas(scheduler: Scheduler, seed: int, tpe: Tpe = "grouped") -> StrategySettings:
    """TPE as Optuna has it: it learns from all trials, the first ten of them random."""
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
"""By name, with variants, of which the best is reported: a rival at its best."""

COMPARED = ("random", "one-epoch-60", "asha", "tpe", "tpe-asha", "default")
"""What a comparison has unless it is told otherwise."""

"""The strategy of a search: which design is begun, which paused trial goes on, what is ended early.

Pure: no Ray, no clock. What is decided follows from the seed and from what was told, so that a
replay of a ledger leads to the very same state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol

from search.space.random_sampling import NeighbourSuggest, RandomSuggest, random_for
from search.strategy.acquisition import Acquisition
from search.strategy.optuna_sampler import OptunaSampler, SamplerSettings
from search.strategy.successive_halving import SuccessiveHalving
from search.surrogate.blas_threads import one_blas_thread
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.actions import D, ExpectedGain, Resume, Space, Start, Suggest
from search.terms.rungs import next_rung

MOST_DRAWS = 2000
"""Of designs, for one that may be begun."""
_CHANCE, _SHARE, _SAMPLER, _CURVES = range(4)
"""What the random numbers of a decision are for."""

Searcher = Literal["curves", "tpe", "gp", "random"]
Scheduler = Literal["promote", "asha", "none"]


class EarlyStop(Protocol):
    """Ends trials for good by what they have shown."""

    def goes_on(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Whether a trial is trained further after an epoch; asked once for each."""


@dataclass(frozen=True)
class StrategySettings:
    """How a search decides."""

    searcher: Searcher = "curves"
    """Who proposes designs: a forecast of learning curves, Optuna's TPE or Gaussian process, or
    chance."""
    scheduler: Scheduler = "promote"
    """Whether trials pause and are promoted, are ended early, or are trained to their ends."""
    seed: int = 0
    second: str = ""
    """The objective beside accuracy."""
    per_cost: bool = False
    """Whether improvement is divided by its cost; of the forecast."""
    random_share: float = 0.1
    """Of the designs, once there is a model."""
    startup: int = 8
    """Designs before there is a model, known ones among them."""
    sampler: SamplerSettings = field(default_factory=SamplerSettings)


class SearchStrategy(Generic[D]):
    """A search of a space: `Strategy` of search/terms/actions.py."""

    def __init__(
        self,
        space: Space[D],
        settings: StrategySettings,
        known: Sequence[tuple[str, D]] = (),
        early: EarlyStop | None = None,
        allows: Callable[[D], bool] = lambda design: True,
        least: Sequence[D] = (),
    ) -> None:
        """`known` are designs by name that are begun first; `early` is for scheduler asha.

        `allows` tells, the same at any time, which designs may be trained: no other is proposed,
        but for known ones, which it is for others to refuse, and where it allows next to none.
        Near the `least`, small designs, are those that it allows when it allows few.
        """
        self._space, self._settings, self._early = space, settings, early
        self._known, self._allows, self._least = list(known), allows, least
        self._refused: set[D] = set()
        self.history: RunHistory[D] = RunHistory(settings.seed, space.is_result)
        self._decisions = 0
        self._stopped: set[int] = set()
        self._pauses = settings.scheduler == "promote"
        self._curves = (
            Acquisition(
                space,
                self.history,
                may_begin=self._may_begin,
                second=settings.second,
                per_cost=settings.per_cost,
            )
            if settings.searcher == "curves"
            else None
        )
        self._halving = SuccessiveHalving(self.history, settings.second)
        self._sampler = OptunaSampler(
            "gp" if settings.searcher == "gp" else "tpe",
            settings.sampler,
            space,
            self.history,
            settings.second,
        )

    @one_blas_thread()
    def next(self, *, new: bool = True) -> Start[D] | Resume | None:
        """What a free worker does; None when there is nothing now."""
        if self._curves:
            self._curves.asked()
        if self._pauses:
            resume = self._promotion(new=new)
            if resume:
                return resume
        return self._start() if new else None

    def _promotion(self, *, new: bool) -> Resume | None:
        if not self.history.rungs_with_paused:
            return None
        trial: int | None
        expected: ExpectedGain | None = None
        if self._curves is None:
            trial = self._halving.promotable()
            if trial is None and not new and not self.history.finished:
                trial = self._halving.best_paused()
        elif not self._is_due(self._curves, new=new):
            return None
        else:
            trial, expected = self._best_paused()
        return None if trial is None else self._resume(trial, expected)

    def _best_paused(self) -> tuple[int, ExpectedGain | None]:
        """By the forecast where there is one, else by rank."""
        if self._curves and self._curves.forecaster.ready:
            return self._curves.best_paused()
        return self._halving.best_paused(), None

    def _resume(self, trial: int, expected: ExpectedGain | None) -> Resume:
        seen = self.history.trials[trial]
        return Resume(trial, next_rung(seen.epochs, seen.last_epoch), expected)

    def _is_due(self, curves: Acquisition[D], *, new: bool) -> bool:
        """Whether a paused trial goes on rather than that one begins: by their shares. Where none
        may begin any more, also until one is trained to its end."""
        if not new:
            return curves.promotion_due or not self.history.finished
        begun = len(self.history.trials) >= self._settings.startup
        return curves.promotion_due and begun

    @one_blas_thread()
    def last_resort(self) -> Resume | None:
        """The best paused trial, where the space has no further design at all."""
        if not self.history.rungs_with_paused:
            return None
        trial, expected = self._best_paused()
        return self._resume(trial, expected)

    def _start(self) -> Start[D]:
        design, by, name, expected = self._propose()
        epochs = self._space.epochs(design)
        to_epoch = next_rung(epochs, 0) if self._pauses else epochs
        return Start(design, to_epoch, by, name, expected)

    def _propose(self) -> tuple[D, str, str, ExpectedGain | None]:
        if self._known:
            name, known = self._known[0]
            return known, "known", name, None
        settings, decision = self._settings, self._decisions
        by_chance = (
            settings.searcher == "random"
            or len(self.history.trials) < settings.startup
            or random_for(settings.seed, decision, _SHARE).random() < settings.random_share
        )
        if by_chance or (self._curves and not self._curves.forecaster.ready):
            return self._sample_by_chance(), "random", "", None
        if self._curves:
            design, expected = self._curves.best_new(random_for(settings.seed, decision, _CURVES))
            return design, "curves", "", expected
        return self._sample_by_model(), settings.searcher, "", None

    def _may_begin(self, design: D) -> bool:
        return self._allows(design) and design not in self._refused

    def _sample_by_chance(self) -> D:
        random = random_for(self._settings.seed, self._decisions, _CHANCE)
        design = self._drawn(RandomSuggest(random))
        for least in filter(self._allows, self._least if design is None else ()):
            design = design or self._drawn(NeighbourSuggest(random, self._space.answers(least)))
        return self._space.sample(RandomSuggest(random)) if design is None else design

    def _sample_by_model(self) -> D:
        """What a sampler proposes; where it knows of none that may begin, one near to that."""
        random = random_for(self._settings.seed, self._decisions, _SAMPLER)
        design = self._sampler.propose(random.getrandbits(31), self._may_begin)
        if self._may_begin(design):
            return design
        near = self._drawn(NeighbourSuggest(random, self._space.answers(design)))
        return self._sample_by_chance() if near is None else near

    def _drawn(self, suggest: Suggest) -> D | None:
        """The first of many designs that may be begun, if there is any."""
        drawn = (self._space.sample(suggest) for _ in range(MOST_DRAWS))
        return next(filter(self._may_begin, drawn), None)

    def went_on(self) -> None:
        """Another session begins."""
        if self._curves:
            self._curves.forget()

    def decided(self) -> None:
        """The next decision is another one."""
        self._decisions += 1
        if self._curves:
            self._curves.taken_up()

    def refused(self, design: D) -> None:
        """A design is not to be trained, now or ever. A model learns nothing from it."""
        self._forget_known(design)
        self._refused.add(design)

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """A trial began."""
        if name:  # in a replay another design is trained, under the name
            self._known = [(known, its) for known, its in self._known if known != name]
        self._forget_known(design)
        self.history.start(ObservedTrial(trial, design, self._space.epochs(design), to_epoch, name))

    def _forget_known(self, design: D) -> None:
        self._known = [(name, known) for name, known in self._known if known != design]

    def resumed(self, trial: int, to_epoch: int) -> None:
        """A paused trial goes on."""
        self.history.resume(trial, to_epoch)

    def told(self, trial: int, epoch: int, accuracy: float | None, seconds: float) -> None:
        """An epoch's accuracy (0..1, None if it diverged) and worker-seconds of training."""
        seen, results = self.history.trials[trial], self.history.results
        if epoch <= seen.last_epoch:
            return
        self.history.tell(trial, epoch, accuracy, seconds)
        self._learn(trial, results)
        if self._early and not self._early.goes_on(trial, epoch, seen.newest):
            self._stopped.add(trial)

    def measured(self, trial: int, value: float) -> None:
        """What a trial has of the second objective, where that is not its cost."""
        self.history.trials[trial].measure = value

    def goes_on(self, trial: int) -> bool:
        """Whether a trial is trained further after what was told last."""
        return trial not in self._stopped

    def ended(self, trial: int, *, failed: bool) -> None:
        """A trial is over."""
        results = self.history.results
        self.history.end(trial, failed=failed)
        self._learn(trial, results)

    def _learn(self, trial: int, before: int) -> None:
        if self.history.results > before:
            self._halving.told(trial)
            if self._curves:
                self._curves.forecaster.told()

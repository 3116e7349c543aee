"""The strategy of a search: decides which design is started, which paused trial is promoted, and
which trial is stopped early.

Pure: no Ray, no clock. Decisions follow from the seed and the sequence of events alone, so that
replaying a ledger restores the same state.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Generic

from models.rungs import next_rung
from search.planning.budget_plan import BudgetPlan
from search.planning.finale import Finale
from search.space.random_sampling import RandomSuggest, random_for
from search.strategy import control_trials
from search.strategy.acquisition import Acquisition
from search.strategy.optuna_sampler import OptunaSampler
from search.strategy.rejection_sampling import RejectionSampler
from search.strategy.settings import EarlyStop, StrategySettings
from search.strategy.successive_halving import SuccessiveHalving
from search.surrogate.blas_threads import one_blas_thread
from search.surrogate.run_history import ObservedTrial, RunHistory
from search.terms.actions import D, ExpectedGain, Resume, Space, Start, Suggest
from search.terms.time_left import TimeLeft

_CHANCE, _SHARE, _SAMPLER, _CURVES, _CONTROL = range(5)
"""Seeds of the independent random streams of a decision."""


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
        draw: Callable[[Random], Suggest] = RandomSuggest,
    ) -> None:
        """`known` are (name, design) pairs that are started first; `early` is for scheduler asha.

        `allows` is the constraint on designs, constant over time. Infeasible designs are proposed
        only where feasible ones are too rare to be found, and among the known ones, which the
        caller refuses. The `least` are small designs: where few designs are feasible, neighbours of
        those are sampled. `draw` makes a `Suggest` from random numbers, with which a new design is
        sampled.
        """
        self._space, self._settings, self._early = space, settings, early
        self._known, self._allows = list(known), allows
        self._random = RejectionSampler(space, draw, allows, self._may_begin, least)
        self._refused: set[D] = set()
        self.history: RunHistory[D] = RunHistory(settings.seed, space.is_result)
        self._decisions = 0
        self._stopped: set[int] = set()
        self._pauses = settings.scheduler == "promote"
        self._acquisition = (
            Acquisition(
                space,
                self.history,
                may_begin=self._may_begin,
                second=settings.second,
                per_cost=settings.per_cost,
                draw=draw,
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
    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> Start[D] | Resume | None:
        """The action for a free lane: a promotion where one is due, else a new trial; None when
        there is none now."""
        if self._acquisition:
            self._acquisition.asked()
            if left is not None and self._pauses and self._settings.plans_time:
                return self._within(BudgetPlan(left), self._acquisition, new=new)
        if self._pauses:
            if self._acquisition:
                control = self._control(new=new)
                if control:
                    return control
            resume = self._promotion(new=new)
            if resume:
                return resume
        return self._start() if new else None

    def _control(self, *, new: bool) -> Start[D] | Resume | None:
        """A control trial where one is due: a random paused trial, or a random design."""
        if not control_trials.is_due(self.history, self._space.max_epochs):
            return None
        random = random_for(self._settings.seed, self._decisions, _CONTROL)
        waiting = self.history.with_rungs_ahead()
        if waiting and (not new or random.random() < control_trials.of_paused(self.history)):
            trial = control_trials.choose(self.history, waiting, random)
            return Resume(trial, self.history.trials[trial].epochs)
        if not new:
            return None
        design = self._sample_by_chance()
        return Start(design, self._space.epochs(design), "control")

    def _within(
        self, plan: BudgetPlan, acquisition: Acquisition[D], *, new: bool
    ) -> Start[D] | Resume | None:
        """The action for a lane with limited time: one that ends before the finale, or the finale
        of a design, or, where no design would gain by that, whatever still fits. Without new trials
        there is no finale to keep time for."""
        if new:
            finale = Finale(plan, self._space, self.history, self._is_allowed)
            if finale.spare >= plan.look:
                acquisition.limit(plan, finale.spare, over=False)
                action = self._that_fits(acquisition)
                if action:
                    return action
            if finale.action:
                return finale.action
        acquisition.limit(plan, plan.left.seconds, over=True)
        return self._that_fits(acquisition) if new else self._promotion(new=False)

    def _that_fits(self, acquisition: Acquisition[D]) -> Start[D] | Resume | None:
        """A promotion where one is due, else a new trial, else any promotion, that ends in time."""
        resume = self._promotion(new=True)
        if resume:
            return resume
        start = self._start()
        if self._fits(start.design, known=start.by == "known"):
            return start
        best = acquisition.best_paused() if self.history.rungs_with_paused else None
        return None if best is None else self._resume(*best)

    def _promotion(self, *, new: bool) -> Resume | None:
        if not self.history.rungs_with_paused:
            return None
        trial: int | None
        expected: ExpectedGain | None = None
        if self._acquisition is None:
            trial = self._halving.promotable()
            if trial is None and not new and not self.history.finished:
                trial = self._halving.best_paused()
        elif not self._is_due(self._acquisition, new=new):
            return None
        else:
            trial, expected = self._best_paused()
        return None if trial is None else self._resume(trial, expected)

    def _best_paused(self) -> tuple[int | None, ExpectedGain | None]:
        """The paused trial to promote: by expected improvement where there is a forecast, else the
        best of the highest rung; none where the budget leaves time for none."""
        if self._acquisition and self._acquisition.can_choose:
            return self._acquisition.best_paused() or (None, None)
        return self._halving.best_paused(), None

    def _resume(self, trial: int, expected: ExpectedGain | None) -> Resume:
        seen = self.history.trials[trial]
        return Resume(trial, next_rung(seen.epochs, seen.last_epoch), expected)

    def _is_due(self, curves: Acquisition[D], *, new: bool) -> bool:
        """Whether a promotion is due rather than a new trial, by their shares of epochs. Where no
        trial may start any more, also until one is trained to its last epoch."""
        if not new:
            return curves.promotion_due or not self.history.finished
        begun = len(self.history.trials) >= self._settings.startup
        return curves.promotion_due and begun

    @one_blas_thread()
    def last_resort(self) -> Resume | None:
        """Promotes the best paused trial, for a space that has no further design at all."""
        if not self.history.rungs_with_paused:
            return None
        trial, expected = self._best_paused()
        return None if trial is None else self._resume(trial, expected)

    def _start(self) -> Start[D]:
        design, by, name, expected = self._propose()
        epochs = self._space.epochs(design)
        to_epoch = next_rung(epochs, 0) if self._pauses else epochs
        return Start(design, to_epoch, by, name, expected)

    def _propose(self) -> tuple[D, str, str, ExpectedGain | None]:
        for name, known in self._known:
            if not self._allows(known) or self._fits(known, known=True):  # else it is refused
                return known, "known", name, None
        settings, decision = self._settings, self._decisions
        by_chance = (
            settings.searcher == "random"
            or len(self.history.trials) < settings.startup
            or random_for(settings.seed, decision, _SHARE).random() < settings.random_share
        )
        if by_chance or (self._acquisition and not self._acquisition.forecaster.ready):
            return self._sample_by_chance(), "random", "", None
        if self._acquisition:
            random = random_for(settings.seed, decision, _CURVES)
            design, expected = self._acquisition.best_new(random)
            return design, "curves", "", expected
        return self._sample_by_model(), settings.searcher, "", None

    def _may_begin(self, design: D) -> bool:
        return self._is_allowed(design) and self._fits(design)

    def _is_allowed(self, design: D) -> bool:
        return self._allows(design) and design not in self._refused

    def _fits(self, design: D, *, known: bool = False) -> bool:
        """Whether the time that is left is enough to begin a design."""
        return self._acquisition is None or self._acquisition.fits(design, known=known)

    def _sample_by_chance(self) -> D:
        return self._random.sample(random_for(self._settings.seed, self._decisions, _CHANCE))

    def _sample_by_model(self) -> D:
        """The Optuna sampler's proposal; where that is infeasible, a feasible neighbour of it, or
        a random design."""
        random = random_for(self._settings.seed, self._decisions, _SAMPLER)
        design = self._sampler.propose(random.getrandbits(31), self._may_begin)
        if self._may_begin(design):
            return design
        near = self._random.near(design, random)
        return self._sample_by_chance() if near is None else near

    def went_on(self) -> None:
        """A new session of the run begins: drops choices that were computed but never taken up."""
        if self._acquisition:
            self._acquisition.forget()

    def decided(self) -> None:
        """The action of `next` was taken up: the next one is another decision."""
        self._decisions += 1
        if self._acquisition:
            self._acquisition.taken_up()

    def refused(self, design: D) -> None:
        """A design violates a constraint, and is never proposed again. Models do not learn from
        it."""
        self._forget_known(design)
        self._refused.add(design)

    def started(self, trial: int, design: D, to_epoch: int, name: str = "") -> None:
        """A trial has started."""
        if name:  # in a replay another design may be trained under the name of a known one
            self._known = [(known, its) for known, its in self._known if known != name]
        self._forget_known(design)
        self.history.start(ObservedTrial(trial, design, self._space.epochs(design), to_epoch, name))

    def _forget_known(self, design: D) -> None:
        self._known = [(name, known) for name, known in self._known if known != design]

    def resumed(self, trial: int, to_epoch: int) -> None:
        """A paused trial has been promoted."""
        self.history.resume(trial, to_epoch)

    def told(
        self,
        trial: int,
        epoch: int,
        accuracy: float | None,
        seconds: float,
        evaluation: float = 0.0,
    ) -> None:
        """An epoch's result: accuracy (0..1, None if it diverged), worker-seconds of training, and
        of the evaluation after it. Epochs that are already known are ignored."""
        seen, results = self.history.trials[trial], self.history.results
        if epoch <= seen.last_epoch:
            return
        self.history.tell(trial, epoch, accuracy, seconds, evaluation)
        self._learn(trial, results)
        if self._early and not self._early.goes_on(trial, epoch, seen.newest):
            self._stopped.add(trial)

    def measured(self, trial: int, value: float) -> None:
        """A trial's value of the second objective, where that is not its training cost."""
        self.history.trials[trial].measure = value

    def goes_on(self, trial: int) -> bool:
        """Whether a trial is trained further; False once the early-stopping rule has stopped it."""
        return trial not in self._stopped

    def ended(self, trial: int, *, failed: bool) -> None:
        """A trial has ended for good."""
        results = self.history.results
        self.history.end(trial, failed=failed)
        self._learn(trial, results)

    def _learn(self, trial: int, before: int) -> None:
        if self.history.results > before:
            self._halving.told(trial)
            if self._acquisition:
                self._acquisition.forecaster.told()

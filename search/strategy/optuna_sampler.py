"""Proposes designs by Optuna's TPE or Gaussian-process sampler, from an in-memory study of bounded
size."""

import datetime
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.space.optuna_parameters import parameters_of
from search.strategy.objectives import second_objective
from search.surrogate.run_history import WORST, ObservedTrial, RunHistory
from search.terms.actions import D, Space

MOST_TRIALS = 100
"""Trials in the study, at most, so that a proposal stays cheap."""
MOST_ASKED = 4
"""Proposals per decision until one is feasible, at most: each takes a good part of a second."""

Sampler = Literal["tpe", "gp"]
Tpe = Literal["grouped", "default", "univariate"]


@dataclass(frozen=True)
class SamplerSettings:
    """Settings of an Optuna sampler."""

    tpe: Tpe = "grouped"
    """Kind of TPE: "grouped" is multivariate within groups of parameters that occur together, with
    the constant liar for running trials; "default" is Optuna's default."""
    most_trials: int = MOST_TRIALS


class OptunaSampler(Generic[D]):
    """An Optuna sampler over a run history, paused and running trials included."""

    def __init__(
        self,
        name: Sampler,
        settings: SamplerSettings,
        space: Space[D],
        history: RunHistory[D],
        second: str = "",
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._name, self._settings, self._second = name, settings, second
        self._space, self._history = space, history
        self._recalled: dict[D, tuple[dict[str, Any], dict[str, BaseDistribution]]] = {}

    def propose(self, seed: int, may_begin: Callable[[D], bool] = lambda design: True) -> D:
        """Proposes a design, deterministically by seed and history: the first of a few that
        `may_begin`, or the last of them."""
        directions = [StudyDirection.MAXIMIZE]
        if self._second:
            directions.append(StudyDirection.MINIMIZE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = _make(self._name, self._settings, seed)
            study = optuna.create_study(directions=directions, sampler=sampler)
            study.add_trials([self._freeze(seen) for seen in self._bounded()])
            for _ in range(MOST_ASKED):
                asked = study.ask()
                design = self._space.sample(asked)
                if may_begin(design):
                    break
                study.tell(asked, state=TrialState.FAIL)  # samplers ignore failed trials
            return design

    def _bounded(self) -> list[ObservedTrial[D]]:
        """The trials of the study: the newest running ones, and of the history's subsample the ones
        trained longest and best, and an even selection of the others."""
        most = self._settings.most_trials
        running = list(self._history.running.values())[-most // 4 :]
        if len(self._history.trials) <= most:
            return list(self._history.trials.values())
        known = [seen for seen in self._history.sample() if seen.trial not in self._history.running]
        known.sort(key=lambda seen: (-seen.last_epoch, -seen.shown, seen.trial))
        left = most - len(running)
        step = max(1, len(known) // max(left // 2, 1))
        kept = dict.fromkeys(seen.trial for seen in known[: left // 2])
        kept |= dict.fromkeys(seen.trial for seen in known[::step][: left // 2])
        kept |= dict.fromkeys(seen.trial for seen in running)
        return [self._history.trials[trial] for trial in sorted(kept)]

    def _freeze(self, seen: ObservedTrial[D]) -> FrozenTrial:
        params, distributions = self._recall(seen.design)
        state, values = self._outcome(seen)
        begun = datetime.datetime.fromtimestamp(0)
        return FrozenTrial(
            number=0,
            trial_id=0,
            state=state,
            value=None,
            values=values,
            datetime_start=begun,
            datetime_complete=begun if state.is_finished() else None,
            params=params,
            distributions=distributions,
            user_attrs={},
            system_attrs={},
            intermediate_values={}
            if self._second or not seen.last_epoch
            else {seen.last_epoch: seen.shown},
        )

    def _outcome(self, seen: ObservedTrial[D]) -> tuple[TrialState, list[float] | None]:
        """The Optuna state and values of a trial.

        Paused trials are pruned ones for TPE, which ranks them by their last epoch and then by
        their accuracy. The Gaussian-process sampler, and studies with several objectives, cannot
        rank pruned trials: there the result that a trial has counts, and the Gaussian process takes
        a trial without one as running. A failed trial has the worst accuracy; with several
        objectives it has no values, since failing early is cheap.
        """
        gp = self._name == "gp"
        if seen.failed and not self._second:
            return TrialState.COMPLETE, [WORST]
        if seen.failed:
            return (TrialState.FAIL if gp else TrialState.PRUNED), None
        if not seen.last_epoch:
            return TrialState.RUNNING, None
        if seen.best is None:
            return (TrialState.RUNNING if gp else TrialState.PRUNED), None
        if self._second:
            other = second_objective(seen, seen.last_epoch, self._second)
            return TrialState.COMPLETE, [seen.newest, other]
        if seen.finished or gp:
            return TrialState.COMPLETE, [seen.best]
        return TrialState.PRUNED, None

    def _recall(self, design: D) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        if design not in self._recalled:
            if len(self._recalled) > 4 * MOST_TRIALS:
                self._recalled.clear()
            self._recalled[design] = parameters_of(self._space, design)
        return self._recalled[design]


def _make(name: Sampler, settings: SamplerSettings, seed: int) -> BaseSampler:
    if name == "gp":
        return GPSampler(seed=seed, n_startup_trials=1, warn_independent_sampling=False)
    if settings.tpe == "default":
        return TPESampler(seed=seed)
    if settings.tpe == "univariate":
        return TPESampler(seed=seed, multivariate=False)
    return TPESampler(
        seed=seed, multivariate=True, group=True, constant_liar=True, n_startup_trials=1
    )

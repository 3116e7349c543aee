"""Proposes designs: Optuna, asked and told, with a study that lies in the run's folder."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import optuna
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from models.design import Design
from search import space as design_space
from search.space import Space
from search.state import Trial

STUDY = "kneepoint"
STARTUP_TRIALS = 8
"""Proposed by chance before the model has anything to go by."""

Searcher = Literal["tpe", "gp", "random"]


class OptunaProposer:
    """Known designs first, then what Optuna's sampler proposes."""

    def __init__(
        self,
        journal: Path,
        space: Space,
        searcher: Searcher,
        seed: int,
        known: Sequence[tuple[str, Design]] = (),
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._searcher = space, searcher
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(journal))),
                study_name=STUDY,
                direction="maximize",
                sampler=_sampler(searcher, seed),
            )
            self._study.set_metric_names(["val_accuracy"])
        self._known = []
        for name, design in known:
            design = replace(design, epochs=space.max_epochs)
            self._known.append((name, design))
            self._study.enqueue_trial(design_space.answers(design))
        self._asked: dict[int, optuna.Trial] = {}
        self._pending: optuna.Trial | None = None

    def ask(self) -> tuple[Design, str, str]:
        """A design, its name where it is a known one, and who proposed it."""
        self._pending = self._study.ask()
        design = design_space.sample(self._pending, self._space)
        if self._known:
            name, known = self._known.pop(0)
            if design == known:
                return design, name, "known"
        return design, "", self._searcher

    def started(self, trial: int, parameters: int) -> None:
        """What was asked last is trained as this trial."""
        assert self._pending is not None
        self._pending.set_user_attr("trial", trial)
        self._pending.set_user_attr("parameters", parameters)
        self._asked[trial], self._pending = self._pending, None

    def refused(self, reason: str) -> None:
        """What was asked last is not trained."""
        assert self._pending is not None
        self._pending.set_user_attr("reason", reason)
        self._study.tell(self._pending, state=TrialState.FAIL)
        self._pending = None

    def told_epoch(self, trial: Trial) -> None:
        """The newest epoch of `trial`."""
        line = trial.epochs[-1]
        if line["val_accuracy"] is not None:
            self._asked[trial.trial].report(line["val_accuracy"], line["epoch"])

    def told_end(self, trial: Trial) -> None:
        """A trial's end: COMPLETE when it was trained to its last epoch, with its best result;
        PRUNED when it was stopped, FAIL when it failed."""
        asked = self._asked.pop(trial.trial)
        asked.set_user_attr("train_seconds", trial.train_seconds())
        if trial.reason:
            asked.set_user_attr("reason", trial.reason)
        if trial.state == "finished" and trial.best:
            self._study.tell(asked, trial.best["val_accuracy"])
        elif trial.state == "stopped" and trial.epochs:
            self._study.tell(asked, state=TrialState.PRUNED)
        else:
            self._study.tell(asked, state=TrialState.FAIL)


def _sampler(searcher: Searcher, seed: int) -> BaseSampler:
    if searcher == "random":
        return RandomSampler(seed=seed)
    if searcher == "gp":
        return GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
    return TPESampler(
        seed=seed,
        multivariate=True,
        group=True,
        constant_liar=True,
        n_startup_trials=STARTUP_TRIALS,
    )


class ListProposer:
    """The given designs in their order, and then no more."""

    def __init__(self, designs: Sequence[tuple[str, Design]]) -> None:
        self._left = list(designs)

    def ask(self) -> tuple[Design, str, str] | None:
        """The next design, or None."""
        if not self._left:
            return None
        name, design = self._left.pop(0)
        return design, name, "transcript"

    def started(self, trial: int, parameters: int) -> None:
        """Nothing to learn."""

    def refused(self, reason: str) -> None:
        """Nothing to learn."""

    def told_epoch(self, trial: Trial) -> None:
        """Nothing to learn."""

    def told_end(self, trial: Trial) -> None:
        """Nothing to learn."""

"""Exports a search as an Optuna study: study.log, a journal storage written from ledger lines.

For people only, never read back; optuna-dashboard opens it while the search runs. A trial is
COMPLETE when it was trained to its last epoch; RUNNING while it trains or is paused (then with the
attribute `paused`); PRUNED when it was ended early, or was paused when the search ended; FAIL, with
the reason, when it failed.
"""

import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from models.design import Design
from models.short_design import describe
from search.record import ledger
from search.record.state import SearchState, Trial
from search.space.optuna_parameters import parameters_of
from search.terms.actions import Space
from search.terms.metric import Metric, column_of, score_of

STUDY = "kneepoint"


class StudyLog:
    """A ledger follower that writes a run's study.log."""

    def __init__(
        self, path: Path, space: Space[Design], second: str = "", metric: Metric = "accuracy"
    ) -> None:
        """Creates the study anew, deleting an earlier file: `catch_up` rebuilds its content."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path.unlink(missing_ok=True)
        self._space, self._second = space, second
        self._ids: dict[int, int] = {}
        self._storage = JournalStorage(JournalFileBackend(str(path)))
        minimised = [StudyDirection.MINIMIZE] if second else []
        self._study = self._storage.create_new_study(
            [StudyDirection.MAXIMIZE, *minimised], study_name=STUDY
        )
        names = [column_of(metric), *([second] if second else [])]
        self._storage.set_study_system_attr(self._study, "study:metric_names", names)

    def catch_up(self, known: SearchState) -> None:
        """Writes the trials of earlier sessions, in their current states."""
        for line in known.refused:
            self._refuse(line)
        for trial in known.trials.values():
            self._create(trial)

    def __call__(self, line: ledger.Line, known: SearchState) -> None:
        """Writes what the next ledger line changes; `known` is the state after it."""
        if line["kind"] == "decision" and line["action"] == "refuse":
            self._refuse(line)
        elif line["kind"] == "epoch":
            score = score_of(line, known.metric)
            self._tell_epoch(line["trial"], line["epoch"], score)
        elif line["kind"] == "trial" and line["trial"] in self._ids:
            self._tell_state(known.trials[line["trial"]])
        elif line["kind"] == "trial":
            self._create(known.trials[line["trial"]])
        elif line["kind"] == "run" and line["event"] != "start":
            self._close(known)

    def _close(self, known: SearchState) -> None:
        """Closes all open trials when the session ends: paused ones become PRUNED."""
        for number in list(self._ids):
            self._finish(known.trials[number])

    def _create(self, trial: Trial) -> None:
        params, distributions = parameters_of(self._space, trial.design)
        results = {
            line["epoch"]: score
            for line in trial.epochs
            if (score := score_of(line, trial.metric)) is not None
        }
        template = FrozenTrial(
            number=-1,
            trial_id=-1,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.datetime.now(),
            datetime_complete=None,
            params=params,
            distributions=distributions,
            user_attrs={
                "trial": trial.trial,
                "name": trial.name,
                "design": describe(trial.design),
                "design_id": trial.design.id,
                "parameters": trial.parameters,
                "flops": trial.flops,
                "paused": trial.state == "paused",
            },
            system_attrs={},
            intermediate_values=results,
        )
        self._ids[trial.trial] = self._storage.create_new_trial(self._study, template)
        if trial.state not in ("running", "paused"):
            self._finish(trial)

    def _refuse(self, line: dict[str, Any]) -> None:
        number = self._storage.create_new_trial(self._study)
        self._storage.set_trial_user_attr(number, "reason", line["reason"])
        self._storage.set_trial_state_values(number, TrialState.FAIL)

    def _tell_epoch(self, number: int, epoch: int, score: float | None) -> None:
        if score is not None:
            self._storage.set_trial_intermediate_value(self._ids[number], epoch, score)

    def _tell_state(self, trial: Trial) -> None:
        if trial.state in ("running", "paused"):
            paused = trial.state == "paused"
            self._storage.set_trial_user_attr(self._ids[trial.trial], "paused", paused)
        else:
            self._finish(trial)

    def _finish(self, trial: Trial) -> None:
        known = self._ids.pop(trial.trial)
        self._storage.set_trial_user_attr(known, "train_seconds", trial.train_seconds())
        if trial.reason:
            self._storage.set_trial_user_attr(known, "reason", trial.reason)
        if trial.state == "finished" and trial.score is not None:
            values = [trial.score]
            values += [_measure(trial, self._second)] if self._second else []
            self._storage.set_trial_state_values(known, TrialState.COMPLETE, values)
        elif trial.state == "failed" or not trial.epochs:
            self._storage.set_trial_state_values(known, TrialState.FAIL)
        else:
            self._storage.set_trial_state_values(known, TrialState.PRUNED)


def _measure(trial: Trial, objective: str) -> float:
    """A finished trial's value of the second objective, minimised: seconds, or a count."""
    assert trial.best
    if objective == "cost":
        return trial.train_seconds(trial.best["epoch"])
    if objective == "latency":
        return min(line["eval_seconds"] for line in trial.epochs)
    return float(getattr(trial, objective))

"""How much each hyperparameter mattered, for accuracy and for cost."""

import warnings
from pathlib import Path
from typing import NamedTuple

import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.table_files import Table
from search.state import SearchState, Trial
from search.study import STUDY

LEAST_TRIALS = 10
STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
BEST_TRIALS = 5
"""How many trials at least are called the best ones, for the evaluator to compare with the rest."""


class Importances(NamedTuple):
    """Shares of importance, which sum to 1 in each column, or why there are none."""

    frame: pd.DataFrame
    """parameter, accuracy, seconds_per_epoch; the most important for accuracy first."""
    trials: int
    """From how many trials."""
    reason: str
    epoch: int = 0
    """After which the trials are compared."""


def importances(study_log: Path, state: SearchState) -> Importances:
    """Importances from the study's parameters and the ledger's results.

    PED-ANOVA (Watanabe et al., arXiv 2304.10255), which takes parameters that exist only under a
    condition: what sets the best trials apart from all of them. Never raises for a missing or
    damaged study: it is made for people, and the report can do without.
    """
    empty = pd.DataFrame(columns=["parameter", "accuracy", "seconds_per_epoch"])
    try:
        sampled = _sampled(study_log, state)
    except Exception as error:  # whatever a stranger's file makes Optuna raise
        return Importances(empty, 0, f"study.log cannot be read ({type(error).__name__})")
    if len(sampled) < LEAST_TRIALS:
        return Importances(
            empty,
            len(sampled),
            f"too few trials to tell: {len(sampled)} of at least {LEAST_TRIALS} that were sampled "
            "and trained",
        )
    epoch = _common_epoch([trial for _, trial in sampled])
    sampled = [(frozen, trial) for frozen, trial in sampled if trial.last_epoch >= epoch]
    accuracy = _evaluate([(frozen, -_accuracy(trial, epoch)) for frozen, trial in sampled])
    cost = _evaluate([(frozen, _seconds_per_epoch(trial)) for frozen, trial in sampled])
    names = sorted(set(accuracy) | set(cost), key=lambda name: (-accuracy.get(name, 0.0), name))
    rows = [(name, accuracy.get(name, 0.0), cost.get(name, 0.0)) for name in names]
    frame = pd.DataFrame(rows, columns=list(empty.columns))
    return Importances(frame, len(sampled), "" if rows else "no parameter varied", epoch)


def importance_table(found: Importances) -> Table:
    """The importances with their rule."""
    rule = (
        f"From {found.trials} trials, by PED-ANOVA: the share of what sets the best trials apart "
        f"from all of them, for accuracy (the best until epoch {found.epoch}, which all of these "
        "trials reached) and for cost (training seconds per epoch). It tells where the search "
        "found differences, not what causes them."
    )
    return Table(
        name="importances",
        title="Importance of the hyperparameters",
        frame=found.frame.rename(
            columns={"accuracy": "for_accuracy", "seconds_per_epoch": "for_seconds_per_epoch"}
        ),
        rule=f"{found.reason[0].upper()}{found.reason[1:]}. {rule}" if found.reason else rule,
    )


def _sampled(study_log: Path, state: SearchState) -> list[tuple[FrozenTrial, Trial]]:
    """Trials of the study that trained at least one sound epoch, with what the ledger says."""
    if not study_log.is_file():
        return []
    storage = JournalStorage(JournalFileBackend(str(study_log)))
    study = optuna.load_study(study_name=STUDY, storage=storage)
    pairs = []
    for frozen in study.get_trials(deepcopy=False, states=STATES):
        trial = state.trials.get(frozen.user_attrs.get("trial", -1))
        if trial is not None and _accuracy(trial, trial.last_epoch) > 0 and frozen.params:
            pairs.append((frozen, trial))
    return pairs


def _common_epoch(trials: list[Trial]) -> int:
    """The last epoch that half of the trials have, and at least `LEAST_TRIALS`: beyond it those
    that were promoted would be compared with those that were not."""
    reached = sorted((trial.last_epoch for trial in trials), reverse=True)
    return reached[max(LEAST_TRIALS, len(reached) // 2) - 1]


def _evaluate(targets: list[tuple[FrozenTrial, float]]) -> dict[str, float]:
    """Shares of importance for reaching a low target."""
    study = _quiet_study()
    for frozen, target in targets:
        study.add_trial(
            create_trial(params=frozen.params, distributions=frozen.distributions, value=target)
        )
    quantile = min(0.5, max(0.1, BEST_TRIALS / len(targets)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator(target_quantile=quantile)
        )


def _quiet_study() -> optuna.Study:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return optuna.create_study(direction="minimize")
    finally:
        optuna.logging.set_verbosity(verbosity)


def _accuracy(trial: Trial, epoch: int) -> float:
    """The best until `epoch`."""
    shown = (line["val_accuracy"] or 0.0 for line in trial.epochs if line["epoch"] <= epoch)
    return max(shown, default=0.0)


def _seconds_per_epoch(trial: Trial) -> float:
    return trial.train_seconds() / len(trial.epochs)

"""Hyperparameter importances by PED-ANOVA, for accuracy and for training seconds per epoch."""

import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.tables.table_files import Table
from search.record.state import OWN_ENDS, SearchState, Trial
from search.record.study_log import STUDY
from search.terms.metric import score_of

LEAST_TRIALS = 10
STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.FAIL)
BEST_SHARE, BEST_TRIALS = 1 / 3, 5
"""Share of the trials, and their least number, that the evaluator sets apart from the rest as
the best. Of fewer it would learn little but their chance likenesses, and next to nothing of what
fails."""


class Importances(NamedTuple):
    """Shares of importance, which sum to 1 in each column, or why there are none."""

    frame: pd.DataFrame
    """parameter, accuracy, seconds_per_epoch; the most important for accuracy first."""
    trials: int
    """Number of trials that they are computed from."""
    reason: str
    epoch: int = 0
    """The epoch after which the trials are compared."""
    failed: int = 0
    """How many of the trials diverged or ran out of memory."""
    by: str = "accuracy"
    """The metric by which trials are compared."""


def importances(study_log: Path, state: SearchState) -> Importances:
    """Importances from the parameters in Optuna's study and the results in the ledger.

    PED-ANOVA (Watanabe et al., arXiv 2304.10255), which takes parameters that exist only under a
    condition: what sets the best trials apart from all of them. Designs that failed by themselves
    are the worst of these; what a machine's failure ended is left out. Never raises for a missing
    or damaged study: it is made for people, and the report can do without.
    """
    empty = pd.DataFrame(columns=["parameter", "accuracy", "seconds_per_epoch"])
    try:
        sampled = _sampled(study_log, state)
    except Exception as error:  # whatever a stranger's file makes Optuna raise
        return Importances(empty, 0, f"study.log cannot be read ({type(error).__name__})")
    sound = [trial for _, trial in sampled if not _failed(trial)]
    if len(sampled) < LEAST_TRIALS or len(sound) < BEST_TRIALS:
        return Importances(
            empty,
            len(sampled),
            f"too few trials to tell: {len(sampled)} of at least {LEAST_TRIALS} that were sampled "
            f"and trained, {len(sound)} of at least {BEST_TRIALS} with a result",
        )
    epoch = _common_epoch(sound)
    sampled = [(f, trial) for f, trial in sampled if _failed(trial) or trial.last_epoch >= epoch]
    accuracy = _evaluate([(frozen, -_accuracy(trial, epoch)) for frozen, trial in sampled])
    timed = [(frozen, _seconds_per_epoch(trial)) for frozen, trial in sampled]
    cost = _evaluate([(frozen, seconds) for frozen, seconds in timed if seconds is not None])
    names = sorted(set(accuracy) | set(cost), key=lambda name: (-accuracy.get(name, 0.0), name))
    rows = [(name, accuracy.get(name, 0.0), cost.get(name, 0.0)) for name in names]
    frame = pd.DataFrame(rows, columns=list(empty.columns))
    failed = sum(_failed(trial) for _, trial in sampled)
    by = state.metric.replace("_", " ")
    reason = "" if rows else "no parameter varied"
    return Importances(frame, len(sampled), reason, epoch, failed, by)


def importance_table(found: Importances) -> Table:
    """Table of the importances."""
    failed = "; those that diverged or ran out of memory count as the worst" if found.failed else ""
    rule = (
        f"From {found.trials} trials, by PED-ANOVA: the share of what sets the best third apart "
        f"from all of them, for {found.by} (the best until epoch {found.epoch}, which all of these "
        f"trials reached{failed}) and for cost (training seconds per epoch). It tells where the "
        "search found differences, not what causes them."
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
    """Pairs of the study's trial and the ledger's, of those that trained at least one sound
    epoch or failed by themselves."""
    if not study_log.is_file():
        return []
    storage = JournalStorage(JournalFileBackend(str(study_log)))
    study = optuna.load_study(study_name=STUDY, storage=storage)
    pairs = []
    for frozen in study.get_trials(deepcopy=False, states=STATES):
        trial = state.trials.get(frozen.user_attrs.get("trial", -1))
        if trial is None or not frozen.params:
            continue
        trained = trial.state != "failed" and _accuracy(trial, trial.last_epoch) > 0
        if trained or _failed(trial):
            pairs.append((frozen, trial))
    return pairs


def _failed(trial: Trial) -> bool:
    """Whether the trial failed for a reason of its design's own: it diverged or ran out of
    memory."""
    return trial.state == "failed" and trial.reason in OWN_ENDS


def _common_epoch(trials: list[Trial]) -> int:
    """The last epoch that half of the trials have, and at least `LEAST_TRIALS`: beyond it those
    that were promoted would be compared with those that were not."""
    reached = sorted((trial.last_epoch for trial in trials), reverse=True)
    return reached[min(len(reached), max(LEAST_TRIALS, len(reached) // 2)) - 1]


def _evaluate(targets: list[tuple[FrozenTrial, float]]) -> dict[str, float]:
    """Shares of importance for reaching a low target, of what varied: the evaluator's priors would
    give a share to the rest too."""
    study = _quiet_study()
    varied = _varied([frozen for frozen, _ in targets])
    for frozen, target in targets:
        params = {name: value for name, value in frozen.params.items() if name in varied}
        distributions = {name: frozen.distributions[name] for name in params}
        study.add_trial(create_trial(params=params, distributions=distributions, value=target))
    best = min(max(BEST_SHARE * len(targets), BEST_TRIALS), len(targets) / 2)
    values = [target for _, target in targets]
    worse = sum(target == max(values) for target in values)
    if worse < len(values):  # of those that failed none is among the best
        best = min(best, len(values) - worse)
    quantile = (math.ceil(best) - 0.5) / len(values)  # the evaluator rounds up
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator(target_quantile=quantile)
        )


def _varied(trials: list[FrozenTrial]) -> set[str]:
    """Names of the parameters that have several values."""
    values: dict[str, set[Any]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            values.setdefault(name, set()).add(value)
    return {name for name, found in values.items() if len(found) > 1}


def _quiet_study() -> optuna.Study:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return optuna.create_study(direction="minimize")
    finally:
        optuna.logging.set_verbosity(verbosity)


def _accuracy(trial: Trial, epoch: int) -> float:
    """The best score until `epoch`, 0..1; 0 for a design that failed."""
    if _failed(trial):
        return 0.0
    shown = (score_of(line, trial.metric) or 0.0 for line in trial.epochs if line["epoch"] <= epoch)
    return max(shown, default=0.0)


def _seconds_per_epoch(trial: Trial) -> float | None:
    """Training seconds per epoch; None where memory ran out in the first epoch."""
    return trial.train_seconds() / len(trial.epochs) if trial.epochs else None

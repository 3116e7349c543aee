"""pandas frames of a run's ledger: points (a design after n epochs), trials and epochs."""

import dataclasses
from typing import Any

import pandas as pd

from analysis.run.run_folder import Run
from models.design import to_row
from search.record.csv_tables import TRIAL_COLUMNS, trial_row
from search.record.state import Trial
from search.terms.accounts import Held, add

BILL = ("gpu_hours", "cpu_core_hours", "cost")
POINT_COLUMNS = (
    *("trial", "epochs", "val_accuracy", "seconds", *BILL, "parameters", "flops"),
    *("val_balanced_accuracy", "train_accuracy", "name", "state", "seed", "design_id"),
)
DESIGN_COLUMNS = (
    *("kernels", "kernel_size", "pooling", "batch_norm", "block_dropout", "flat_dropout", "dense"),
    *("dense_dropout", "activation", "normalisation", "optimizer", "learning_rate", "momentum"),
    *("weight_decay", "schedule", "batch_size", "label_smoothing", "augmentation", "gradient_clip"),
    "initialisation",
)
EPOCH_COLUMNS = (
    *("trial", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
    *("val_balanced_accuracy", "train_seconds", "eval_seconds"),
)


def points(run: Run) -> pd.DataFrame:
    """A row per (design, epochs) whose result a training of that design for just so long gives.

    `seconds` are worker-seconds of training from the first epoch on, evaluation excluded; hours and
    cost follow from them. The design's fields stand last, as text where they are lists.
    """
    rows = [row for trial in run.state.trials.values() for row in _point_rows(run, trial)]
    return pd.DataFrame(rows, columns=[*POINT_COLUMNS, *DESIGN_COLUMNS])


def trials(run: Run) -> pd.DataFrame:
    """A row per trial, as in trials.csv: its best point, its state and why, its bill, its
    design."""
    now = run.state.last_time
    rows = [trial_row(trial, run.price, now) for trial in run.state.trials.values()]
    return pd.DataFrame(rows, columns=list(TRIAL_COLUMNS)).sort_values("trial", ignore_index=True)


def epochs(trial: Trial) -> pd.DataFrame:
    """A row per epoch trained, whether or not it is a point; a diverged one has empty cells."""
    rows = [{column: line.get(column) for column in EPOCH_COLUMNS} for line in trial.epochs]
    return pd.DataFrame(rows, columns=list(EPOCH_COLUMNS)).astype(
        dict.fromkeys(EPOCH_COLUMNS[2:], float)
    )


def _point_rows(run: Run, trial: Trial) -> list[dict[str, Any]]:
    held: Held = {}
    passed: dict[int, Held] = {}
    for line in trial.epochs:  # one pass: Trial.trained an epoch would be quadratic
        share = trial.account.shares[line["epoch"]]
        add(held, {share: line["train_seconds"]})
        passed[line["epoch"]] = dict(held)
    design = to_row(trial.design)
    return [
        {
            **_identity(trial),
            **{key: design[key] for key in DESIGN_COLUMNS},
            "epochs": line["epoch"],
            "val_accuracy": line["val_accuracy"],
            "val_balanced_accuracy": line.get("val_balanced_accuracy"),
            "train_accuracy": line["train_accuracy"],
            "seconds": sum(passed[line["epoch"]].values()),
            **dataclasses.asdict(run.bill(passed[line["epoch"]])),
        }
        for line in trial.points
    ]


def _identity(trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.trial,
        "name": trial.name,
        "state": trial.state,
        "seed": trial.seed,
        "design_id": trial.design.id,
        "parameters": trial.parameters,
        "flops": trial.flops,
    }

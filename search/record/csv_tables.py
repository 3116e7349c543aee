"""Exports trials.csv, epochs.csv and costs.csv from the state of a search."""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.data.names import readable
from models.design import Design, to_row
from search.record.state import SearchState, Trial
from search.terms.price import bill_of

EPOCH_COLUMNS = (
    "trial",
    "epoch",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_seconds",
    "eval_seconds",
    "images_per_second",
    "lane",
    "peak_memory_bytes",
    "val_balanced_accuracy",
)
COST_COLUMNS = ("trial", "item", "seconds", "gpu_hours", "cpu_core_hours", "cost")


def write(state: SearchState, run: Path, price: float | None) -> None:
    """Writes the three tables of the run in folder `run`; an empty cell is a value that was not
    measured. What running trials hold counts until the ledger's newest line.

    Raises OSError where the folder cannot be written.
    """
    trials = sorted(state.trials.values(), key=lambda trial: trial.trial)
    rows = [trial_row(trial, price, state.last_time) for trial in trials]
    _write(run / "trials.csv", rows, TRIAL_COLUMNS)
    epochs = [{c: line.get(c) for c in EPOCH_COLUMNS} for trial in trials for line in trial.epochs]
    _write(run / "epochs.csv", epochs, EPOCH_COLUMNS)
    costs = [
        {"trial": trial.trial, "item": item, "seconds": sum(held.values())}
        | dataclasses.asdict(bill_of(held, price))
        for trial in trials
        for item, held in trial.use(state.last_time).items()
    ]
    _write(run / "costs.csv", costs, COST_COLUMNS)


def trial_row(trial: Trial, price: float | None, now: float | None = None) -> dict[str, Any]:
    """One row of trials.csv: `epochs` are those trained, `epochs_planned` the design's. What a
    running trial holds counts until the time `now`."""
    best = trial.best or {}
    design = to_row(trial.design)
    planned = design.pop("epochs")
    used = [seconds for held in trial.use(now).values() for seconds in held.values()]
    return {
        "trial": trial.trial,
        "name": trial.name,
        "design_id": trial.design.id,
        "seed": trial.seed,
        "state": trial.state,
        "reason": readable(trial.reason),
        "epochs": trial.last_epoch,
        "epochs_planned": planned,
        "best_epoch": best.get("epoch"),
        "val_accuracy": best.get("val_accuracy"),
        "val_balanced_accuracy": best.get("val_balanced_accuracy"),
        "train_accuracy": best.get("train_accuracy"),
        "parameters": trial.parameters,
        "flops": trial.flops,
        **design,
        "train_seconds": trial.train_seconds(),
        "held_seconds": sum(used) if used else None,
        **dataclasses.asdict(bill_of(trial.trained(), price)),
        "workers": trial.workers,
        "cpus_per_worker": trial.cpus_per_worker,
        "gpus_per_worker": trial.gpus_per_worker,
        "precision": trial.precision,
        "device": trial.device,
        "restarts": trial.restarts,
    }


TRIAL_COLUMNS = tuple(trial_row(Trial(0, Design(), seed=0, parameters=0, flops=0), None))


def _write(path: Path, rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    scratch = path.with_suffix(".tmp")
    with scratch.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    scratch.replace(path)

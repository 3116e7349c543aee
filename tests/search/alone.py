"""Trainings beside any search: what an undisturbed process shows of a trial."""

import dataclasses

import torch

from models.data.dataset import Dataset
from models.data.selection import select, subsets, trained_on
from models.training.device import FIXED
from models.training.training_run import Training
from search.record.state import SearchState


def check_results(found: SearchState, digits: Dataset) -> None:
    """Each trial showed what one shows that trains alone, and undisturbed."""
    selection = select(digits, None, "validation")
    digits = trained_on(digits, selection)
    train, validation = subsets(digits, selection)
    for trial in found.trials.values():
        alone = Training(
            trial.design, digits, train, validation, seed=trial.seed,
            device=torch.device("cpu"), precision=FIXED["fp32"],
        )  # fmt: skip
        for line in trial.epochs:
            expected = dataclasses.asdict(alone.run_epoch())
            for name in ("epoch", "train_loss", "val_loss", "val_accuracy"):
                assert line[name] == expected[name], (trial.trial, name)

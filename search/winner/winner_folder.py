"""Writes the winner's folder at the end of a search: design, weights, exported programs, sample
images, the metrics of the one scoring on the test images, and the model card."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models import checkpoint
from models.data.dataset import Dataset, load
from models.data.images import Subset
from models.design import to_dict
from models.error_text import first_line
from models.network import build
from models.quantities import count
from models.training import onnx_export
from models.training.program_export import exported
from models.training.scoring import classification_metrics, predict
from search.record import checkpoint_retention
from search.record.run_folder import now
from search.record.state import Trial
from search.storage import checkpoint_files
from search.storage.checkpoint_files import CheckpointError, StorageError
from search.storage.store import Store
from search.winner import model_card, sample_program
from search.winner.model_card import Search

PREDICTION_BATCH = 256


def write(
    run: Path,
    store: Store,
    trial: Trial,
    dataset: Dataset,
    validation: Subset,
    selected_on: str,
    search: Search,
    *,
    score: bool,
) -> dict[str, Any] | None:
    """Fills `run`/winner from the checkpoint in `store`; with `score` returns the metrics on the
    test images, else None. Raises Gone where the weights are missing.

    Writes design.json, weights.pt, model.onnx, model.pt2, classify.py (which uses the ONNX model),
    samples.npz (a validation image of each class, for pictures of what the network sees), README.md
    (the model card), and with `score` metrics.json. All is computed on the CPU, in fp32.
    """
    assert trial.best is not None
    folder = run / "winner"
    folder.mkdir(exist_ok=True)
    network = build(trial.design, dataset.shape, len(dataset.classes))
    network.load_state_dict(_weights(folder, store, trial, trial.best["epoch"]))
    checkpoint.save(network.state_dict(), folder / "weights.pt")
    _write_json(folder / "design.json", _describe(trial, dataset, selected_on))
    _write_samples(folder / "samples.npz", validation, len(dataset.classes))
    metrics = _score(network, trial, dataset) if score else None
    _export(network, trial, dataset, metrics or {}, folder)
    (folder / "classify.py").write_text(sample_program.TEXT, encoding="utf-8")
    chosen_by = (selected_on, len(validation))
    card = model_card.text(trial, dataset, chosen_by, metrics or {}, search)
    (folder / "README.md").write_text(card, encoding="utf-8")
    if metrics is None:
        (folder / "metrics.json").unlink(missing_ok=True)  # of another network
    else:
        _write_json(folder / "metrics.json", metrics)
    return metrics


class Gone(Exception):
    """The winner's weights cannot be found; the message is one line that says what is missing."""


def _weights(folder: Path, store: Store, trial: Trial, epoch: int) -> dict[str, Any]:
    """The weights in the trial's checkpoint; without one, those in `folder`, if an earlier session
    wrote them for the same trial and epoch. Raises Gone where there are neither."""
    name = checkpoint_retention.checkpoint_name(trial.trial, epoch)
    with contextlib.suppress(*_UNREADABLE):
        saved: dict[str, Any] = checkpoint.unpack(store.read(name))
        return saved["training"]["network"]
    with contextlib.suppress(*_UNREADABLE):
        if _is_of(folder / "design.json", trial, epoch):
            return checkpoint.load(folder / "weights.pt")
    try:  # once more, with retries, and with a reason
        return checkpoint_files.read(store, name)["training"]["network"]
    except (CheckpointError, StorageError, KeyError) as error:
        raise Gone(
            f"{first_line(error)}, the weights of trial {trial.trial}, which leads, and {folder} "
            "has none of them"
        ) from error


_UNREADABLE = checkpoint_files.DAMAGED
"""What a missing or damaged file raises."""


def _is_of(told: Path, trial: Trial, epoch: int) -> bool:
    """Whether a winner's design.json `told`, and the weights beside it, are of `trial` after
    `epoch`."""
    try:
        found = json.loads(told.read_text())
        there = (found["trial"], found["design_id"], found["seed"], found["epoch"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    ours = (trial.trial, trial.design.id, trial.seed, epoch)
    return there == ours and (told.parent / "weights.pt").is_file()


def _describe(trial: Trial, dataset: Dataset, selected_on: str) -> dict[str, Any]:
    assert trial.best is not None
    return {
        "trial": trial.trial,
        "name": trial.name,
        "design_id": trial.design.id,
        "seed": trial.seed,
        "epoch": trial.best["epoch"],
        "val_accuracy": trial.best["val_accuracy"],
        "val_balanced_accuracy": trial.best.get("val_balanced_accuracy"),
        "objective_metric": trial.metric,
        "selected_on": selected_on,
        "design": to_dict(trial.design),
        "shape": dataset.shape,
        "classes": dataset.classes,
        "mean": dataset.mean,
        "deviation": dataset.deviation,
    }


def _score(network: nn.Module, trial: Trial, dataset: Dataset) -> dict[str, Any]:
    test = load(dataset, "test")
    device = torch.device("cpu")
    started = time.perf_counter()
    predictions = predict(network, test, trial.design, dataset, device, PREDICTION_BATCH)
    seconds = time.perf_counter() - started
    return {
        "part": "test",
        "scored": now(),
        "prediction_seconds_per_image": seconds / len(test),
        "prediction_batch": PREDICTION_BATCH,
        "prediction_device": f"cpu, {count(torch.get_num_threads(), 'thread')}",
        **classification_metrics(test.labels.numpy(), predictions, dataset.classes),
    }


def _export(
    network: nn.Module, trial: Trial, dataset: Dataset, metrics: dict[str, Any], folder: Path
) -> None:
    """Writes model.pt2 and model.onnx, this with the network's accuracies in its metadata."""
    assert trial.best is not None
    facts = {
        "trial": trial.trial,
        "name": trial.name,
        "epoch": trial.best["epoch"],
        "val_accuracy": trial.best["val_accuracy"],
        "val_balanced_accuracy": trial.best.get("val_balanced_accuracy"),
        "test_accuracy": metrics.get("accuracy"),
        "test_balanced_accuracy": metrics.get("balanced_accuracy"),
    }
    known = {key: value for key, value in facts.items() if value not in (None, "")}
    program = exported(network, trial.design, dataset)
    torch.export.save(program, folder / "model.pt2")
    onnx_export.write(program, trial.design, dataset, known, folder / "model.onnx")


def _write_samples(path: Path, validation: Subset, classes: int) -> None:
    """Writes samples.npz: the first validation image of each class that has any."""
    labels = validation.images.labels[validation.index]
    found = [(labels == label).nonzero().flatten() for label in range(classes)]
    first = torch.stack([positions[0] for positions in found if len(positions)])
    chosen = validation.index[first]
    images = validation.images
    np.savez(path, pixels=images.pixels[chosen].numpy(), labels=images.labels[chosen].numpy())


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")

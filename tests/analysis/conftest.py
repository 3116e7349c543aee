"""Runs for the tests: hand-made ledgers with known numbers, and one really trained winner."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from analysis.tables import findings
from analysis.tables.findings import Findings
from models import checkpoint
from models.data.dataset import Source, load, prepare
from models.data.images import split
from models.design import Design, to_dict
from models.network import measure_size
from models.training.device import FIXED
from models.training.scoring import classification_metrics, predict
from models.training.training_run import Training
from search.record.ledger import Kind, Ledger

CIFAR = {
    "name": "cifar10",
    "shape": [3, 32, 32],
    "classes": [
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ],
    "fingerprint": "0123456789abcdef",
    "train_count": 50_000,
    "test_count": 10_000,
}


class RunMaker:
    """Writes one run's folder, line by line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder / "ledger")

    def write(self, kind: Kind, **fields: Any) -> None:
        """One line of the ledger."""
        self.ledger.append((kind, fields))

    def record(self, **fields: Any) -> None:
        """run.json with these fields over those of a finished search."""
        record = {
            "name": self.folder.name,
            "created": "2026-01-02T03:04:05+00:00",
            "command": "search",
            "state": "finished",
            "settings": {"seed": 7},
            "dataset": CIFAR,
            "price": None,
            "evaluated_on": "validation",
            "train_images": 45_000,
            "validation_images": 5_000,
        }
        (self.folder / "run.json").write_text(json.dumps(record | fields))

    def trial(
        self,
        number: int,
        accuracies: Iterable[float | None],
        *,
        training: Iterable[float | None] | None = None,
        seconds: float = 1.0,
        design: Design | None = None,
        name: str = "",
        parameters: int = 1000,
        state: str = "finished",
        reason: str = "",
        workers: int = 1,
        gpus: float = 0.0,
        device: str = "cpu",
    ) -> None:
        """A trial whose epochs have these accuracies and `seconds` each; None for diverged."""
        accuracies = list(accuracies)
        design = design or Design(epochs=max(1, len(accuracies)))
        self.write(
            "trial",
            trial=number,
            state="running",
            name=name,
            design=to_dict(design),
            design_id=design.id,
            seed=0,
            parameters=parameters,
            flops=2 * parameters,
            workers=workers,
            cpus_per_worker=1.0,
            gpus_per_worker=gpus,
        )
        trained = accuracies if training is None else list(training)
        for epoch, (accuracy, train) in enumerate(zip(accuracies, trained, strict=True), start=1):
            self.epoch(number, epoch, accuracy, train, seconds, device)
        for item, spent in (("training", seconds), ("evaluation", 0.5), ("overhead", 0.25)):
            self.write("cost", trial=number, item=item, seconds=spent * len(accuracies))
        self.write("trial", trial=number, state=state, reason=reason)

    def epoch(
        self,
        trial: int,
        epoch: int,
        accuracy: float | None,
        train: float | None,
        seconds: float,
        device: str = "cpu",
        balanced: float | None = None,
    ) -> None:
        """One epoch line."""
        loss = None if accuracy is None else 1 - accuracy
        more = {} if balanced is None else {"val_balanced_accuracy": balanced}
        self.write(
            "epoch",
            trial=trial,
            epoch=epoch,
            train_loss=loss,
            train_accuracy=train,
            val_loss=loss,
            val_accuracy=accuracy,
            train_seconds=seconds,
            eval_seconds=0.5,
            images_per_second=100.0,
            peak_memory_bytes=1 << 20,
            lane=0,
            precision="fp32",
            device=device,
            **more,
        )

    def findings(self) -> Findings:
        """What the analysis makes of the run."""
        return findings.read(str(self.folder), self.folder.parent)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[[str], RunMaker]:
    def make(name: str = "hand-made") -> RunMaker:
        run = RunMaker(tmp_path / name)
        run.record()
        return run

    return make


def write_winner(folder: Path, design: Design, network: Any, told: dict[str, Any]) -> None:
    """winner/ with design.json and weights.pt; `told` has shape, classes and so on."""
    folder.mkdir()
    content = {"name": "", "design_id": design.id, "seed": 0, "design": to_dict(design)} | told
    (folder / "design.json").write_text(json.dumps(content))
    checkpoint.save(network.state_dict(), folder / "weights.pt")


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished search on the digits, with a winner that was really trained."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs") / "digits"
    dataset = prepare(Source("digits"))
    images = load(dataset, "train")
    train, validation = split(images)
    shape, classes = dataset.shape, len(dataset.classes)
    design = Design(kernels=((8,), (12, 12)), batch_norm=True, flat_dropout=0.2, epochs=3)
    training = Training(
        design,
        dataset,
        train,
        validation,
        seed=0,
        device=torch.device("cpu"),
        precision=FIXED["fp32"],
    )
    results = [training.run_epoch() for _ in range(3)]
    run = RunMaker(folder)
    told = dataclasses.asdict(dataset)
    run.record(dataset=told, price=0.05, train_images=len(train), validation_images=len(validation))
    parameters, _ = measure_size(design, shape, classes)
    accuracies = [result.val_accuracy for result in results]
    run.trial(
        0,
        accuracies,
        training=[result.train_accuracy for result in results],
        seconds=results[0].train_seconds,
        design=design,
        parameters=parameters,
    )
    run.trial(1, [0.3, 0.5], seconds=0.05, parameters=500)
    run.trial(2, [0.2], state="stopped", reason="worse than the median", parameters=700)
    winner = folder / "winner"
    facts = {key: told[key] for key in ("shape", "classes", "mean", "deviation")}
    facts |= {"trial": 0, "epoch": 3, "val_accuracy": accuracies[2]}
    write_winner(winner, design, training.network, facts | {"selected_on": "validation"})
    test = load(dataset, "test")
    predictions = predict(training.network, test, design, dataset, torch.device("cpu"))
    metrics = classification_metrics(test.labels.numpy(), predictions, dataset.classes)
    metrics |= {"part": "test", "prediction_seconds_per_image": 1e-4, "prediction_batch": 256}
    (winner / "metrics.json").write_text(json.dumps(metrics))
    labels = images.labels[validation.index].numpy()
    first = [int(np.argmax(labels == label)) for label in range(classes)]
    pixels = images.pixels[validation.index[first]].numpy()
    np.savez(winner / "samples.npz", pixels=pixels, labels=np.arange(classes))
    return folder

"""What a worker answers when something fails under it: read, load, step, write and fsync."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from models.data.dataset import Dataset
from models.data.selection import select
from models.design import Design, to_dict
from models.training.training_run import Training
from search.cluster.node_versions import versions
from search.lanes import worker
from search.lanes.leg import Leg
from search.lanes.worker import Trainer, TrialSettings
from search.record import checkpoint_retention
from search.storage import checkpoint_files
from search.storage.store import Folder

DESIGN = to_dict(Design(kernels=(), dense=(8,), epochs=4))


@pytest.fixture(scope="module")
def alone_in_a_group() -> Iterator[None]:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.fixture
def trainer(alone_in_a_group, digits: Dataset, tmp_path: Path, monkeypatch) -> Trainer:
    monkeypatch.setattr(checkpoint_files, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(worker.ray.util, "get_node_ip_address", lambda: "10.0.0.7")
    (tmp_path / "run.json").write_text("{}")
    return Trainer(
        TrialSettings(
            store=Folder(str(tmp_path)),
            dataset=digits,
            selection=select(digits, 400, "validation"),
            precision="fp32",
            device="cpu",
            gpus_per_worker=0,
            threads=1,
            versions=versions(),
        )
    )


def leg(from_epoch: int = 0) -> Leg:
    return Leg(trial=0, design=DESIGN, seed=3, from_epoch=from_epoch)


def told(answer: dict) -> tuple[str, bool]:
    """A failure's kind, and whether the worker is to be replaced; it names its place."""
    assert answer["failure"] and answer["place"].startswith("10.0.0.7, CPU")
    return answer["kind"], answer["spoiling"]


def checkpoint_of(trainer: Trainer, epoch: int) -> Path:
    return Path(trainer._settings.store.path) / checkpoint_retention.checkpoint_name(0, epoch)


def test_an_epoch_is_told_and_its_checkpoint_is_there(trainer: Trainer) -> None:
    answer = trainer.answer(leg())
    assert answer["epoch"] == 1 and "failure" not in answer
    assert checkpoint_of(trainer, 1).exists()


def test_write_and_fsync(trainer: Trainer, monkeypatch) -> None:
    def fails(number: int):
        def fsync(handle: int) -> None:
            raise OSError(number, os.strerror(number))

        return fsync

    monkeypatch.setattr(os, "fsync", fails(errno.ENOSPC))
    assert told(trainer.answer(leg())) == ("run", False)
    monkeypatch.setattr(os, "fsync", fails(errno.EIO))
    assert told(trainer.answer(leg())) == ("storage", False)
    monkeypatch.undo()
    assert not checkpoint_of(trainer, 1).exists()


def test_read_and_load(trainer: Trainer, monkeypatch) -> None:
    """Whatever went wrong: the same process then trains as if nothing had been."""
    first = [trainer.answer(leg()), trainer.answer(None), trainer.answer(None)]
    whole = checkpoint_of(trainer, 2).read_bytes()
    checkpoint_of(trainer, 2).write_bytes(whole[: len(whole) // 2])
    assert told(trainer.answer(leg(2))) == ("checkpoint", False)
    checkpoint_of(trainer, 2).unlink()
    assert told(trainer.answer(leg(2))) == ("checkpoint", False)

    def fails(*arguments) -> bytes:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "read", fails)
        assert told(trainer.answer(leg(2))) == ("storage", False)
    checkpoint_of(trainer, 2).write_bytes(whole)
    again = trainer.answer(leg(2))
    assert again["epoch"] == 3
    assert [again[name] for name in ("train_loss", "val_loss", "val_accuracy")] == [
        first[2][name] for name in ("train_loss", "val_loss", "val_accuracy")
    ]


def test_step(trainer: Trainer, monkeypatch) -> None:
    def fails(error: Exception):
        def step(training: Training, images, labels) -> None:
            raise error

        return step

    monkeypatch.setattr(Training, "step", fails(RuntimeError("CUDA error: unspecified")))
    assert told(trainer.answer(leg())) == ("machine", False)
    monkeypatch.setattr(Training, "step", fails(torch.OutOfMemoryError("CUDA out of memory")))
    answer = trainer.answer(leg())
    assert told(answer) == ("design", False) and answer["failure"] == "out_of_memory"
    trainer._workers = 2  # whose others wait in the middle of a step
    assert told(trainer.answer(leg())) == ("design", True)

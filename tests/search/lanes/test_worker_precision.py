"""The precision of a trial in its workers, which were or are on another device."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from models import checkpoint
from models.data.dataset import Dataset
from models.data.selection import select, subsets
from models.design import Design, to_dict
from models.training.device import Precision
from models.training.training_run import Training
from search.lanes import worker
from search.lanes.leg import Leg
from search.lanes.worker import Trainer, TrialSettings
from search.record.checkpoint_retention import checkpoint_name
from search.storage.checkpoint_files import MARKER
from search.storage.store import Folder
from tests.conftest import free_port

DESIGN = Design(kernels=((4,),), flat_dropout=0.2, batch_size=32, epochs=3)


@pytest.fixture
def trainer(digits: Dataset, tmp_path: Path, monkeypatch) -> Iterator[Trainer]:
    """One that is alone, in this very process."""
    monkeypatch.setattr(worker, "_check_node", lambda settings: None)
    (tmp_path / MARKER).touch()
    settings = TrialSettings(
        store=Folder(str(tmp_path)),
        dataset=digits,
        selection=select(digits, None, "validation"),
        precision="auto",
        device="cpu",
        gpus_per_worker=0,
        threads=1,
        versions={},
    )
    address = f"tcp://127.0.0.1:{free_port()}"
    dist.init_process_group("gloo", init_method=address, rank=0, world_size=1)
    try:
        yield Trainer(settings)
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_trial_of_a_gpu_goes_on_without_one(
    dtype: str, trainer: Trainer, digits: Dataset, tmp_path: Path
) -> None:
    """Without CUDA graphs, and else from the same weights in the same way."""
    data = subsets(digits, select(digits, None, "validation"))
    plain = Training(
        DESIGN, digits, *data, seed=4, device=torch.device("cpu"), precision=Precision(dtype, True)
    )
    plain.run_epoch()
    saved = {"training": plain.state(), "precision": (dtype, True, True)}
    Folder(str(tmp_path)).write(checkpoint_name(7, 1), checkpoint.pack(saved))
    expected = plain.run_epoch()

    answer = trainer.answer(Leg(7, to_dict(DESIGN), seed=4, from_epoch=1, to_epoch=3))
    assert answer.get("failure") is None
    assert (answer["epoch"], answer["precision"]) == (2, f"{dtype} channels_last")
    assert (answer["train_loss"], answer["val_loss"]) == (expected.train_loss, expected.val_loss)


def test_the_chooser_is_told_what_this_leg_takes(trainer: Trainer, monkeypatch) -> None:
    asked = []

    def choose(design: Design, images: int, **named: object) -> Precision:
        asked.append((images, named))
        return Precision("fp32", True)

    monkeypatch.setattr(trainer._chooser, "choose", choose)
    fields = to_dict(DESIGN)
    trainer.answer(Leg(7, fields, seed=4, to_epoch=1))
    trainer.answer(Leg(7, fields, seed=4, from_epoch=1, to_epoch=3))
    trainer.answer(Leg(8, fields, seed=4))
    assert [images for images, _ in asked] == [1293] * 3
    assert [named["epochs"] for _, named in asked] == [1, 2, 3]
    assert [named["before"] for _, named in asked] == [None, Precision("fp32", True), None]

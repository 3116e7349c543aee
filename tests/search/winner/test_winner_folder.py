"""The winner's weights: of its checkpoint, else of an earlier end of the run with that winner."""

import contextlib
import json
import random
from pathlib import Path

import pytest
import torch

from models import checkpoint
from models.data.dataset import Dataset
from models.data.images import Subset
from models.design import Design
from models.network import build
from search.record import checkpoint_retention
from search.record.state import Trial, load
from search.storage import checkpoint_files
from search.storage.store import Folder
from search.winner import winner_folder
from search.winner.model_card import Search
from tests.analysis.conftest import RunMaker

DESIGN = Design(kernels=((4,),), epochs=2)


@pytest.fixture
def run(tmp_path: Path, digits: Dataset) -> RunMaker:
    """A run of one trial, with its checkpoint."""
    made = RunMaker(tmp_path / "one")
    made.record()
    made.trial(0, [0.5, 0.6], design=DESIGN)
    network = build(DESIGN, digits.shape, 10).state_dict()
    saved = checkpoint.pack({"training": {"network": network}})
    Folder(str(made.folder)).write(checkpoint_retention.checkpoint_name(0, 2), saved)
    return made


def written(run: RunMaker, digits: Dataset, subsets: tuple[Subset, Subset]) -> dict:
    """The weights that are the winner's."""
    trial = load(run.folder).winner
    assert trial is not None
    store = Folder(str(run.folder))
    search = Search("one", 1, None)
    winner_folder.write(
        run.folder, store, trial, digits, subsets[1], "validation", search, score=False
    )
    return checkpoint.load(run.folder / "winner/weights.pt")


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds, and has nothing to do with where the weights are from; nor has patience."""
    monkeypatch.setattr(checkpoint_files, "WAITS", ())
    monkeypatch.setattr(winner_folder, "_export", lambda *given: None)


def test_a_checkpoint_that_was_deleted_is_not_missed(
    run: RunMaker, digits: Dataset, digits_subsets, no_export
) -> None:
    first = written(run, digits, digits_subsets)
    (run.folder / checkpoint_retention.checkpoint_name(0, 2)).unlink()
    again = written(run, digits, digits_subsets)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_a_checkpoint_that_was_cut_is_not_missed_either(
    run: RunMaker, digits: Dataset, digits_subsets, no_export
) -> None:
    first = written(run, digits, digits_subsets)
    path = run.folder / checkpoint_retention.checkpoint_name(0, 2)
    whole, chance = path.read_bytes(), random.Random(0)
    damaged = [whole[:100], b""]
    for _ in range(30):  # each makes torch and its formats raise what they like
        content = bytearray(whole)
        for at in chance.sample(range(len(content)), 40):
            content[at] ^= 1 << chance.randrange(8)
        damaged.append(bytes(content))
    for content in damaged:
        path.write_bytes(content)
        with contextlib.suppress(*checkpoint_files.DAMAGED):
            checkpoint.load(path)
            continue  # what was changed did not matter
        again = written(run, digits, digits_subsets)
        assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(
    "other", [{"epoch": 1}, {"trial": 3}, {"design_id": "0"}, {"seed": 5}, None, "no weights"]
)
def test_weights_of_another_are_not_taken(
    run: RunMaker, digits: Dataset, digits_subsets, no_export, other
) -> None:
    written(run, digits, digits_subsets)
    (run.folder / checkpoint_retention.checkpoint_name(0, 2)).unlink()
    told = run.folder / "winner/design.json"
    if other is None:
        told.write_text("{")
    elif other == "no weights":
        (run.folder / "winner/weights.pt").unlink()
    else:
        told.write_text(json.dumps(json.loads(told.read_text()) | other))
    said = (
        "checkpoint checkpoints/0/epoch-0002.pt is gone, the weights of trial 0, which leads, and"
    )
    with pytest.raises(winner_folder.Gone, match=said):
        written(run, digits, digits_subsets)
    assert isinstance(load(run.folder).winner, Trial)

"""A search on a folder of images as people have them, on a real Ray cluster."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from models.data.dataset import Dataset, Source, load, prepare
from models.data.selection import select
from search.record import state
from search.run import main
from tests.models.image_folders import write_images

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CLASSES = ("café", "dog", "lynx")


def test_a_search_on_a_folder_of_odd_names(ray_cluster: str, tmp_path: Path, capsys) -> None:
    """The folder and a class in Latin-1, composed otherwise in test, one class of two images: all
    that is written is right, and a run that goes on keeps the means with which it began."""
    root = write_images(tmp_path / os.fsdecode(b"d\xe9j\xe0"), {"café": 40, "dog": 40, "lynx": 2})
    (root / "train/café").rename(root / "train" / os.fsdecode(b"caf\xe9"))
    (root / "test/café").rename(root / "test/cafe\u0301")
    words = ["--trials", "2", "--max-epochs", "1", "--scheduler", "none", "--precision", "fp32"]
    words += ["--out", str(tmp_path / "runs")]
    assert main([*words, "--data-dir", str(root), "--name", "odd"]) == 0
    said = capsys.readouterr().out
    assert "Notice: few images of a class: lynx (1 train, 1 validate)" in said

    dataset = prepare(Source(data_dir=str(root)))
    run = tmp_path / "runs/odd"
    told = json.loads((run / "run.json").read_text())
    assert tuple(told["dataset"]["classes"]) == CLASSES
    assert (told["train_images"], told["validation_images"]) == (72, 10)
    design = json.loads((run / "winner/design.json").read_text())
    assert tuple(design["classes"]) == CLASSES
    assert design["mean"] == told["dataset"]["mean"] == pytest.approx(means_of_training(dataset))
    scores = json.loads((run / "winner/metrics.json").read_text())
    assert [score["class"] for score in scores["classes"]] == list(CLASSES)
    with np.load(run / "winner/samples.npz") as samples:
        assert samples["labels"].tolist() == [0, 1, 2]
    assert len(state.load(run).trials) == 2

    began = [0.4, 0.5, 0.6]  # as an earlier version of this code may have had them
    told["dataset"]["mean"] = began
    (run / "run.json").write_text(json.dumps(told))
    shutil.rmtree(run / "winner")
    assert main(["--resume", str(run), "--extend", "--budget", "1trials"]) == 0
    for file, path in (("run.json", ["dataset", "mean"]), ("winner/design.json", ["mean"])):
        found = json.loads((run / file).read_text())
        for name in path:
            found = found[name]
        assert found == began


def means_of_training(dataset: Dataset) -> list[float]:
    rows = select(dataset, None, "validation").train
    pixels = load(dataset, "train").pixels[torch.from_numpy(rows)].double() / 255
    return pixels.mean(dim=(0, 2, 3)).tolist()

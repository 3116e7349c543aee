"""The model card, and the program beside the ONNX file."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binomtest

from models.data.dataset import Dataset
from models.data.images import Images
from models.design import Design
from models.network import build
from models.training import onnx_export
from models.training.program_export import exported
from models.training.scoring import classification_metrics, predict
from search.record.state import Trial
from search.record.state import load as load_state
from search.winner import model_card, sample_program
from search.winner.model_card import Search, interval
from tests.analysis.conftest import RunMaker

DESIGN = Design(kernels=((4,),), epochs=2)
CPU = torch.device("cpu")


@pytest.mark.parametrize(("right", "images"), [(8_400, 10_000), (10, 10), (0, 10), (1, 3)])
def test_the_interval_is_wilson_s(right: int, images: int) -> None:
    known = binomtest(right, images).proportion_ci(method="wilson")
    assert interval(right / images, images) == pytest.approx((known.low, known.high), abs=1e-6)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_interval_holds_what_was_measured(images: int, accuracy: float) -> None:
    low, high = interval(accuracy, images)
    assert -1e-9 <= low <= accuracy + 1e-9 and accuracy - 1e-9 <= high <= 1 + 1e-9


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    made = RunMaker(tmp_path / "one")
    made.record()
    made.trial(0, [0.5, 0.6], design=DESIGN, seconds=90.0)
    found = load_state(made.folder).winner
    assert found is not None
    return found


def test_the_card_has_data_figures_cost_and_limits(trial: Trial, digits: Dataset) -> None:
    labels = np.arange(10).repeat(10)
    wrong = np.where(np.arange(100) % 10 < labels // 3, (labels + 1) % 10, labels)
    metrics = classification_metrics(labels, wrong, digits.classes)
    metrics |= {"prediction_seconds_per_image": 2e-4, "prediction_batch": 256}
    metrics |= {"prediction_device": "cpu, 2 threads"}
    card = model_card.text(trial, digits, ("validation", 143), metrics, Search("mine", 9, 0.5))
    right = float((labels == wrong).mean())
    low, high = interval(right, 100)
    for words in (
        "# A classifier of 10 classes: digits",
        "| 143 validation | 60.00% | 51.81% to 67.67% | chosen by these |",
        f"| 100 test | {right:.2%} | {low:.2%} to {high:.2%} | opened once |",
        "recognised: 9 70.0%, 6 80.0%, 7 80.0%",
        "3 min of its workers (0.05 core-hours, 0.025 in money)",
        "the search that found the design trained 9 trials",
        "1,437 images to train and validate, 360 to test",
        "images of 8x8 pixels, grey",
        "too rosy",
    ):
        assert words in card, f"{words!r} is not in\n{card}"
    assert "Not scored" not in card


def test_what_was_not_scored_says_so(trial: Trial, digits: Dataset) -> None:
    strange = dataclasses.replace(digits, name="caf\udce9", classes=("a", "\udcff"))
    card = model_card.text(trial, strange, ("validation", 143), {}, Search("mine", 1, None))
    assert "Not scored on the test images yet" in card and "test |" not in card
    card.encode()  # names in bytes that are no UTF-8 can be written


@pytest.mark.parametrize("data", ["digits", "colours"])
def test_the_program_beside_the_onnx_file_runs_without_kneepoint(
    data: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    dataset: Dataset = request.getfixturevalue(data)
    network = build(DESIGN, dataset.shape, len(dataset.classes))
    program = exported(network, DESIGN, dataset)
    onnx_export.write(program, DESIGN, dataset, {}, tmp_path / "model.onnx")
    (tmp_path / "classify.py").write_text(sample_program.TEXT, encoding="utf-8")
    pixels = torch.randint(0, 256, (5, *dataset.shape), dtype=torch.uint8)
    images = Images(pixels, torch.zeros(5, dtype=torch.int64))
    expected = predict(network, images, DESIGN, dataset, CPU)
    names = [f"{number}.png" for number in range(5)]
    for name, pixels in zip(names, images.pixels, strict=True):
        Image.fromarray(pixels.permute(1, 2, 0).squeeze(2).numpy()).save(tmp_path / name)
    words = [sys.executable, "-I", "classify.py", *names]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [line.split()[1] for line in done.stdout.splitlines()]
    assert found == [dataset.classes[number] for number in expected]

"""The loops that trials are compared with do train."""

import sys
from types import SimpleNamespace

import pytest
import torch

from benchmarks.__main__ import main
from benchmarks.bare_loop import PRECISIONS, bare_epoch, fastest
from benchmarks.training_speed import ROUNDS, Rounds
from benchmarks.tutorial_loop import TutorialLoop
from models.data.images import Subset
from models.design import Design

CPU = torch.device("cpu")
SMALL = Design(kernels=((4,),), batch_size=8, normalisation="scale")


@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_the_bare_loop_trains(precision, colour_images: Subset, monkeypatch) -> None:
    import benchmarks.bare_loop as module

    built = []
    plain = module.build
    monkeypatch.setattr(module, "build", lambda *a: built.append(plain(*a)) or built[0])
    epoch = bare_epoch(SMALL, colour_images, CPU, precision)
    images = colour_images.images

    def loss() -> float:
        logits = built[0](images.pixels.float() / 255)
        return torch.nn.functional.cross_entropy(logits, images.labels).item()

    before = loss()
    for _ in range(5):
        epoch()
    assert loss() < before


def test_the_fastest_is_one_of_four(colour_images: Subset) -> None:
    precision, epoch = fastest(SMALL, colour_images, CPU, rounds=1)
    assert precision in PRECISIONS
    epoch()


def test_the_tutorial_s_loop_trains(colour_images: Subset) -> None:
    assert TutorialLoop(SMALL, colour_images, CPU).images_per_second(0.1) > 0


def test_rounds_take_turns() -> None:
    calls: list[str] = []
    tutorial = SimpleNamespace(images_per_second=lambda seconds: calls.append("taught") or 5.0)
    rounds = Rounds(lambda: calls.append("hand"), 100, tutorial)
    epochs = 0
    goes_on = True
    while goes_on:
        epochs += 1
        trial = SimpleNamespace(last_epoch=epochs, epochs=[{"eval_seconds": 0.0}])
        goes_on = rounds.goes_on(trial)
    assert epochs == ROUNDS + 1  # the first does not count
    assert len(rounds.lane) == len(rounds.hand) == ROUNDS
    assert calls[:4] == ["hand", "taught", "hand", "taught"]


@pytest.mark.parametrize("words", [["nonsense"], ["--gpu", "memory"]])
def test_an_unknown_benchmark_is_refused(words: list[str], monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2 and "unknown benchmark" in capsys.readouterr().err

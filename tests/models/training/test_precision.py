import dataclasses
from collections.abc import Callable

import pytest
import torch

from models.data.dataset import Dataset
from models.design import Design
from models.training import precision
from models.training.device import FIXED, Precision, choose_device
from models.training.precision import CANDIDATES, Chooser, Speed, likeness, work_of

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))
SMALL = Design(kernels=((4,),), batch_size=8)
LONG = 1_000_000
GRAPHS = Precision("bf16", channels_last=True, graphs=True)


def without_order(chosen: Precision) -> Precision:
    return dataclasses.replace(chosen, channels_last=False)


@pytest.fixture
def measured(monkeypatch) -> list[tuple]:
    """What was measured: design, images and precision. The later of the candidates are the faster
    ones; graphs halve a step, and need 10 seconds to start."""
    calls: list[tuple] = []

    def made_up(
        design: Design, data: Dataset, device: object, chosen: Precision, images: int, steps: float
    ) -> Speed:
        calls.append((design, images, chosen))
        plain = dataclasses.replace(chosen, graphs=False)
        step = 0.01 / (1 + CANDIDATES.index(plain))
        return Speed(10.0, step / 2) if chosen.graphs else Speed(0.0, step)

    monkeypatch.setattr(precision, "measure", made_up)
    monkeypatch.setattr(precision.memory, "release", lambda device: None)
    return calls


def test_fixed_choices_measure_nothing(digits: Dataset, measured: list) -> None:
    for choice, expected in FIXED.items():
        assert Chooser(choice, digits, CPU).choose(SMALL, LONG) == expected
        flat = Chooser(choice, digits, CPU).choose(Design(kernels=()), LONG)
        assert flat == without_order(expected)
    assert not measured


def test_auto_takes_the_fastest_and_remembers_it(digits: Dataset, measured: list) -> None:
    chooser = Chooser("auto", digits, CPU)
    assert chooser.choose(SMALL, LONG) == CANDIDATES[-1]
    assert [chosen for _, _, chosen in measured] == list(CANDIDATES)
    for change in ({"kernels": ((5,),)}, {"learning_rate": 0.5}, {"optimizer": "adamw"}):
        assert chooser.choose(dataclasses.replace(SMALL, **change), LONG) == CANDIDATES[-1]
    assert len(measured) == len(CANDIDATES)


def test_a_slow_start_pays_only_over_many_steps() -> None:
    quick, slow = Speed(start_seconds=0, step_seconds=2), Speed(start_seconds=100, step_seconds=1)
    assert quick.total(99) < slow.total(99) and quick.total(101) > slow.total(101)


def test_a_leg_s_own_steps_decide(digits: Dataset, measured: list) -> None:
    """Graphs are captured in each leg: whatever the design's length, 10 seconds are not won back in
    four epochs of 1,000 steps, but in twenty."""
    design = dataclasses.replace(SMALL, epochs=100)
    chooser = Chooser("auto", digits, CUDA)
    assert not chooser.choose(design, 8_000, epochs=1).graphs
    assert not chooser.choose(design, 8_000, epochs=4).graphs
    assert chooser.choose(design, 8_000, epochs=20).graphs
    assert chooser.choose(design, 8_000).graphs


@pytest.mark.parametrize(
    ("batch", "images", "workers", "expected"),
    [
        (8, 100_000, 2, (4, 50_000)),
        (63, 63_000, 2, (32, 32_000)),
        (256, 90, 1, (90, 90)),
        (256, 90, 4, (23, 23)),
        (32, 1_000, 1, (32, 992)),
    ],
)
def test_a_worker_s_share_is_measured(
    batch: int, images: int, workers: int, expected: tuple, digits: Dataset, measured: list
) -> None:
    design = dataclasses.replace(SMALL, batch_size=batch, flat_dropout=0.3, epochs=100_000)
    Chooser("auto", digits, CPU).choose(design, images, workers=workers)
    assert {(known.batch_size, count) for known, count, _ in measured} == {expected}
    assert {known.flat_dropout for known, _, _ in measured} == {0.3}


def test_short_work_is_measured_when_there_was_enough_of_it(digits: Dataset, measured: list):
    """160 steps of like designs allow for 8 to be spent on measuring, 2 for each candidate."""
    chooser = Chooser("auto", digits, CPU)
    design = dataclasses.replace(SMALL, epochs=100)
    for _ in range(3):
        assert chooser.choose(design, 8 * 45, epochs=1) == CANDIDATES[0] == FIXED["fp32"]
    assert not measured
    assert chooser.choose(design, 8 * 45, epochs=1) == CANDIDATES[-1]


@pytest.mark.parametrize(
    "change",
    [
        {"kernels": ((16,),)},
        {"batch_size": 64},
        {"batch_norm": True},
        {"kernel_size": 5},
        {"flat_dropout": 0.1},
        {"block_dropout": (0.1,)},
        {"optimizer": "rmsprop"},
        {"epochs": 100},
    ],
)
def test_work_of_other_kinds_is_measured_anew(change: dict) -> None:
    def alike(design: Design, workers: int = 1) -> object:
        return likeness(work_of(design, 1000, design.epochs, workers))

    assert alike(dataclasses.replace(SMALL, **change)) != alike(SMALL)
    assert alike(SMALL, workers=2) != alike(SMALL)
    assert alike(dataclasses.replace(SMALL, weight_decay=0.1, epochs=11)) == alike(SMALL)


@pytest.mark.parametrize(
    ("device", "before", "expected"),
    [
        (CPU, GRAPHS, Precision("bf16", channels_last=True)),
        (CPU, Precision("fp32", False), Precision("fp32", False)),
        (MPS, GRAPHS, Precision("fp32", channels_last=True)),
    ],
)
def test_what_goes_on_elsewhere_keeps_what_the_device_has(
    device: torch.device, before: Precision, expected: Precision, digits: Dataset, measured: list
) -> None:
    assert Chooser("auto", digits, device).choose(SMALL, LONG, before=before) == expected
    assert not measured


def test_on_a_gpu_what_goes_on_has_its_graphs_chosen_anew(digits: Dataset, measured: list) -> None:
    chooser = Chooser("auto", digits, CUDA)
    slow = Precision("fp32", channels_last=True)
    assert chooser.choose(SMALL, LONG, before=slow) == dataclasses.replace(slow, graphs=True)
    assert {chosen.dtype for _, _, chosen in measured} == {"fp32"}
    design = dataclasses.replace(SMALL, epochs=100)
    assert chooser.choose(design, 8_000, epochs=1, before=GRAPHS) == Precision("bf16", True)
    assert Chooser("bf16", digits, CUDA).choose(SMALL, LONG, before=GRAPHS) == FIXED["bf16"]


def failing(measure: Callable, fails: Callable[[Precision], bool]) -> Callable:
    def sometimes(*arguments: object) -> Speed:
        if fails(arguments[3]):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return measure(*arguments)

    return sometimes


def test_what_the_device_cannot_compute_is_not_chosen(
    digits: Dataset, measured: list, monkeypatch
) -> None:
    plain = precision.measure
    for fails, expected in (
        (lambda chosen: chosen.graphs, CANDIDATES[-1]),
        (lambda chosen: chosen.dtype == "bf16", dataclasses.replace(CANDIDATES[1], graphs=True)),
    ):
        monkeypatch.setattr(precision, "measure", failing(plain, fails))
        assert Chooser("auto", digits, CUDA).choose(SMALL, LONG) == expected
    monkeypatch.setattr(precision, "measure", failing(plain, lambda chosen: True))
    assert Chooser("auto", digits, CUDA).choose(SMALL, LONG) == CANDIDATES[0]


def test_measurement_takes_real_steps(digits: Dataset) -> None:
    for candidate in CANDIDATES:
        speed = precision.measure(SMALL, digits, CPU, candidate, 100, 3)
        assert speed.start_seconds > 0 and speed.step_seconds > 0


@pytest.mark.parametrize("schedule", ["constant", "one_cycle", "cosine", "cycles", "triangular"])
def test_measurement_may_be_longer_than_the_training(schedule: str, digits: Dataset) -> None:
    """And its batch is no larger than there are images."""
    design = dataclasses.replace(SMALL, schedule=schedule, epochs=2, batch_size=64)
    speed = precision.measure(design, digits, CPU, CANDIDATES[0], 20, 30)
    assert speed.step_seconds > 0


def test_formats_are_alike_without_convolutions(digits: Dataset) -> None:
    chosen = Chooser("auto", digits, CPU).choose(Design(kernels=(), dense=(4,)), 10_000)
    assert not chosen.channels_last


def test_missing_device_is_refused() -> None:
    assert choose_device("cpu") == CPU
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="--device cuda"):
            choose_device("cuda")

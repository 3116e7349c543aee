import dataclasses

import pytest
import torch

from models import precision
from models.dataset import Dataset
from models.design import Design
from models.device import FIXED, Precision, choose_device
from models.precision import CANDIDATES, Chooser, Speed, likeness

CPU = torch.device("cpu")
SMALL = Design(kernels=((4,),), batch_size=8)
LONG = 1_000_000


@pytest.fixture
def speeds(monkeypatch) -> dict[Precision, Speed]:
    """Made-up speeds in place of measured ones; those that were asked for stand in `asked`."""
    made = {candidate: Speed(0, 1 / number) for number, candidate in enumerate(CANDIDATES, 1)}
    made = {p: made.get(p, Speed(0, 1)) for p in [*made, *(without_order(p) for p in made)]}
    monkeypatch.setattr(precision, "measure", lambda d, s, device, p, steps: made.pop(p))
    return made


def without_order(chosen: Precision) -> Precision:
    return dataclasses.replace(chosen, channels_last=False)


def test_fixed_choices_measure_nothing(digits: Dataset, speeds: dict) -> None:
    before = dict(speeds)
    for choice, expected in FIXED.items():
        assert Chooser(choice, digits, CPU).choose(SMALL, LONG) == expected
        flat = Chooser(choice, digits, CPU).choose(Design(kernels=()), LONG)
        assert flat == without_order(expected)
    assert speeds == before


def test_auto_takes_the_fastest_and_remembers_it(digits: Dataset, speeds: dict) -> None:
    chooser = Chooser("auto", digits, CPU)
    assert chooser.choose(SMALL, LONG) == CANDIDATES[-1]
    speeds.clear()  # whoever measures again fails
    assert chooser.choose(dataclasses.replace(SMALL, kernels=((5,),)), LONG) == CANDIDATES[-1]
    assert chooser.choose(dataclasses.replace(SMALL, learning_rate=0.5), LONG) == CANDIDATES[-1]


def test_a_slow_start_pays_only_over_many_steps() -> None:
    quick, slow = Speed(start_seconds=0, step_seconds=2), Speed(start_seconds=100, step_seconds=1)
    assert quick.total(99) < slow.total(99) and quick.total(101) > slow.total(101)


def test_a_short_training_is_not_measured(digits: Dataset, speeds: dict) -> None:
    chosen = Chooser("auto", digits, CPU).choose(dataclasses.replace(SMALL, epochs=1), 8 * 20)
    assert chosen == CANDIDATES[0] and chosen == FIXED["fp32"]
    assert len(speeds) == len(CANDIDATES)


@pytest.mark.parametrize(
    "change",
    [{"kernels": ((16,),)}, {"batch_size": 64}, {"batch_norm": True}, {"kernel_size": 5}],
)
def test_designs_of_other_kinds_are_measured_anew(change: dict) -> None:
    assert likeness(dataclasses.replace(SMALL, **change)) != likeness(SMALL)


def test_measurement_takes_real_steps(digits: Dataset) -> None:
    for candidate in CANDIDATES:
        speed = precision.measure(SMALL, digits, CPU, candidate, 3)
        assert speed.start_seconds > 0 and speed.step_seconds > 0


def test_formats_are_alike_without_convolutions(digits: Dataset) -> None:
    chosen = Chooser("auto", digits, CPU).choose(Design(kernels=(), dense=(4,)), 10_000)
    assert not chosen.channels_last


def test_missing_device_is_refused() -> None:
    assert choose_device("cpu") == CPU
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="--device cuda"):
            choose_device("cuda")

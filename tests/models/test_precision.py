import pytest
import torch

from models import precision
from models.dataset import Dataset
from models.design import Design
from models.device import FIXED, choose_device

SMALL = Design(kernels=((4,),), batch_size=8)


def test_fixed_choices_measure_nothing(digits: Dataset) -> None:
    for choice, expected in FIXED.items():
        assert precision.choose(choice, SMALL, digits, torch.device("cpu")) == expected


def test_auto_takes_the_fastest(digits: Dataset, monkeypatch) -> None:
    speeds = {candidate: number for number, candidate in enumerate(precision.CANDIDATES)}
    monkeypatch.setattr(precision, "measure", lambda *_: speeds)
    chosen = precision.choose("auto", SMALL, digits, torch.device("cpu"))
    assert chosen == precision.CANDIDATES[-1]


def test_measurement_covers_what_can_differ(digits: Dataset) -> None:
    cpu = torch.device("cpu")
    speeds = precision.measure(SMALL, digits, cpu)
    assert set(speeds) == set(precision.CANDIDATES) and min(speeds.values()) > 0
    without = precision.measure(Design(kernels=()), digits, cpu)
    assert {p.channels_last for p in without} == {False}


def test_missing_device_is_refused() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="--device cuda"):
            choose_device("cuda")

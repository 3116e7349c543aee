"""Durations, counts and amounts as people read them."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quantities import UNKNOWN, amount, count, duration, hours, number

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, UNKNOWN),
        (math.nan, UNKNOWN),
        (0, "0 s"),
        (3.5e-7, "0.35 µs"),
        (3.5e-5, "35 µs"),
        (0.0451, "45.1 ms"),
        (0.045, "45 ms"),
        (0.09996, "0.1 s"),
        (0.31, "0.31 s"),
        (0.9999, "1 s"),
        (1.21667, "1.22 s"),
        (12.0, "12 s"),
        (59.96, "1 min"),
        (73, "1 min 13 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h"),
        (5400, "1 h 30 min"),
        (9 * 3600, "9 h"),
        (360_000, "100 h"),
        (5e6, "1,389 h"),
        (-0.31, "-0.31 s"),
        (math.inf, "without end"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def seconds_of(text: str) -> float:
    """What a duration says."""
    if text == "less than 0.1 ns":
        return 1e-10
    parts = re.findall(r"([\d.,]+) (ns|µs|ms|s|min|h)\b", text)
    assert " ".join(f"{value} {unit}" for value, unit in parts) == text
    return sum(float(value.replace(",", "")) * UNITS[unit] for value, unit in parts)


@given(st.floats(0, 1e7, exclude_min=True), st.floats(0, 1e7, exclude_min=True))
def test_durations_are_in_order_near_the_truth_and_never_nothing(one: float, two: float) -> None:
    less, more = sorted((one, two))
    assert seconds_of(duration(less)) <= seconds_of(duration(more)) * (1 + 1e-12)
    for seconds in (less, more):
        assert not duration(seconds).startswith("0 ")
        if seconds > 1e-9:
            assert seconds_of(duration(seconds)) == pytest.approx(seconds, rel=0.0084)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.0, "1"),
        (1.0000001, "1"),
        (1 / 3, "0.333"),
        (0.25, "0.25"),
        (1.21667, "1.22"),
        (12.5, "12.5"),
        (999.7, "1,000"),
        (30_730, "30,730"),
        (0.0000124, "1.24e-05"),
        (math.inf, "inf"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (count(0, "trial"), "0 trials"),
        (count(1, "trial"), "1 trial"),
        (count(1.0, "epoch"), "1 epoch"),
        (count(2, "trial"), "2 trials"),
        (count(1, "class", "classes"), "1 class"),
        (count(10, "class", "classes"), "10 classes"),
        (count(30_730, "parameter"), "30,730 parameters"),
        (count(0.5, "GPU-hour"), "0.5 GPU-hours"),
        (count(12_345), "12,345"),
        (count(None, "trial"), UNKNOWN),
        (hours(6, "GPU"), "6 GPU-hours"),
        (hours(1, "GPU"), "1 GPU-hour"),
        (hours(0.0000124, "CPU core"), "44.6 ms of a CPU core"),
        (hours(0.52, "CPU core"), "0.52 CPU-core-hours"),
        (hours(0, "GPU"), "0 GPU-hours"),
        (amount(None), UNKNOWN),
        (amount(0.0123), "0.0123"),
        (amount(1234.5), "1,234"),
        (amount(0.0000124), "1.24e-05"),
    ],
)
def test_counts_and_amounts(found: str, text: str) -> None:
    assert found == text

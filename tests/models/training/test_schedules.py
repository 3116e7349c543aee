"""Learning rate schedules: a rate for each step, and where each schedule ends."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from models.data.dataset import Dataset
from models.data.images import Subset
from models.training.training_run import Training
from tests.models.training.test_training_run import RICH, losses, start


def recorded_rates(training: Training) -> list[float]:
    """The learning rate of each step that `training` takes from now on."""
    rates, take = [], training.step

    def step(*batch: Tensor) -> None:
        rates.append(training._optimizer.param_groups[0]["lr"])
        take(*batch)

    training.step = step  # type: ignore[method-assign]
    return rates


def test_cycles_end_at_the_rungs(digits: Dataset, digits_subsets: tuple[Subset, Subset]) -> None:
    """Rising over a quarter of each, then falling to zero: at 1, 3 and 5 epochs of this design."""
    design = dataclasses.replace(RICH, schedule="cycles", epochs=5)
    steps = len(digits_subsets[0]) // 50
    training = start(design, digits, *digits_subsets)
    assert training.steps_per_epoch == steps
    rates = recorded_rates(training)
    for _ in range(5):
        training.run_epoch()
    expected = []
    for length in (steps, 2 * steps, 2 * steps):
        done = [(n + 0.5) / length for n in range(length)]
        expected += [0.05 * min(4 * part, (1 - part) / 0.75) for part in done]
    assert rates == pytest.approx(expected)
    training.step(torch.zeros(50, 1, 8, 8), torch.zeros(50, dtype=torch.int64))
    assert training._optimizer.param_groups[0]["lr"] == 0.0  # as a measurement may take it


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 9, 10, 27, 50])
def test_a_training_has_results_where_shorter_ones_of_just_so_long_end(epochs: int) -> None:
    design = dataclasses.replace(RICH, schedule="cycles", epochs=epochs)
    ends = [epoch for epoch in range(1, epochs + 1) if design.is_result(epoch)]
    assert ends[-1] == epochs
    for end in ends:
        shorter = dataclasses.replace(design, epochs=end)
        assert [epoch for epoch in ends if epoch <= end] == [
            epoch for epoch in range(1, end + 1) if shorter.is_result(epoch)
        ]


@pytest.mark.parametrize("batch", [50, 10_000])  # of the last one there is one step an epoch
def test_what_a_cycle_ends_with_is_what_a_shorter_training_gives(
    batch: int, digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    design = dataclasses.replace(RICH, schedule="cycles", epochs=9, batch_size=batch)
    whole = start(design, digits, *digits_subsets)
    results = [whole.run_epoch() for _ in range(3)]
    for epochs in (1, 3):
        shorter = start(dataclasses.replace(design, epochs=epochs), digits, *digits_subsets)
        assert losses([shorter.run_epoch() for _ in range(epochs)]) == losses(results[:epochs])


def test_schedules_move_the_learning_rate(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    rates = {}
    for schedule in ("constant", "one_cycle", "cosine", "triangular"):
        design = dataclasses.replace(RICH, schedule=schedule, epochs=2)
        training = start(design, digits, *digits_subsets)
        rates[schedule] = []
        for _ in range(2):
            training.run_epoch()
            rates[schedule].append(training._optimizer.param_groups[0]["lr"])
    assert rates["constant"] == [0.05, 0.05]
    assert rates["cosine"] == pytest.approx([0.025, 0.0], abs=1e-6)
    assert 0 < rates["one_cycle"][1] < rates["one_cycle"][0] < 0.05
    half = 0.05 * 0.5 / 0.75  # half of the steps are done, of which a quarter rose
    assert rates["triangular"] == pytest.approx([half, 0.0], rel=0.05)


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "triangular"])
def test_a_schedule_has_a_rate_for_each_step_and_stays_at_its_end(
    schedule: str, digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    """Of a training of the real length; and whoever measures takes more steps than there are."""
    design = dataclasses.replace(RICH, schedule=schedule, epochs=2)
    training = start(design, digits, *digits_subsets)
    rates = recorded_rates(training)
    training.run_epoch()
    training.run_epoch()
    steps = 2 * (len(digits_subsets[0]) // 50)
    assert len(rates) == steps
    if schedule == "cosine":
        known = [0.025 * (1 + math.cos(math.pi * step / steps)) for step in range(steps)]
        last = 0.0
    elif schedule == "triangular":  # up over the first quarter, then straight to zero
        middles = [(step + 0.5) / steps for step in range(steps)]
        known = [0.05 * min(each / 0.25, (1 - each) / 0.75) for each in middles]
        last = 0.0
    else:  # up to the peak over three tenths, then down to a 250,000th of it
        top, last = 0.3 * steps - 1, 0.05 / 25e4
        rising = [(0.002, 0.05, step / top) for step in range(steps) if step <= top]
        falling = [(0.05, last, (s - top) / (steps - 1 - top)) for s in range(len(rising), steps)]
        known = [
            end + (begin - end) / 2 * (1 + math.cos(math.pi * part))
            for begin, end, part in rising + falling
        ]
    assert rates == pytest.approx(known, abs=1e-9)

    images, labels = torch.rand(50, *digits.shape), torch.zeros(50, dtype=torch.int64)
    for _ in range(3 * steps):
        training.step(images, labels)
    assert rates[steps:] == pytest.approx([last] * 3 * steps, abs=1e-9)


def test_one_step_in_all_is_taken_at_the_rate_of_the_design(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    """A schedule of one step has nothing to move; torch's would stay at its lowest rate."""
    few = Subset(digits_subsets[0].images, digits_subsets[0].index[:60])
    weights = []
    for schedule in ("one_cycle", "constant"):
        design = dataclasses.replace(RICH, schedule=schedule, epochs=1, batch_size=50)
        training = start(design, digits, few, digits_subsets[1])
        assert training.steps_per_epoch == 1
        training.run_epoch()
        training.load_state(training.state())
        weights.append(next(training.network.parameters()).detach().clone())
    assert torch.equal(*weights)

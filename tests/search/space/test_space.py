from dataclasses import replace
from typing import get_args

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.network import measure_size
from models.transcript import TRANSCRIPT
from search.session.jobs import KNOWN
from search.space.axes import Axis
from search.space.design_space import NetworkSpace, answers, sample

CIFAR = NetworkSpace(max_epochs=10, height=32, width=32)
ALL = NetworkSpace(max_epochs=10, height=32, width=32, axes=frozenset({"all"}))


def ask(space: NetworkSpace, seed: int):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    return sample(trial, space), trial.params


@given(st.integers(0, 10_000))
def test_every_sample_is_a_design_that_fits_the_images(seed: int) -> None:
    for space, shape in (
        (CIFAR, (3, 32, 32)),
        (ALL, (3, 32, 32)),
        (NetworkSpace(5, 8, 8), (1, 8, 8)),
        (NetworkSpace(1, 1, 9, frozenset({"schedule"})), (1, 1, 9)),
    ):
        design, _ = ask(space, seed)
        assert measure_size(design, shape, 10)[0] > 0
        assert design.epochs <= space.max_epochs


@given(st.integers(0, 10_000))
def test_only_what_matters_is_asked(seed: int) -> None:
    design, asked = ask(ALL, seed)
    layers = sum(len(block) for block in design.kernels)
    kernels = [name for name in asked if name.startswith("kernels_")]
    doubling = asked.get("doubling", False)
    assert len(kernels) == (0 if doubling else layers)
    assert ("first_kernels" in asked) == (doubling and layers > 0)
    assert ("momentum" in asked) == (design.optimizer in ("momentum", "nesterov"))
    assert ("sgd_learning_rate" in asked) != ("adaptive_learning_rate" in asked)
    assert sum(name.startswith("dense_") and name[6:].isdigit() for name in asked) == len(
        design.dense
    )
    assert ("dense_dropout" in asked) == bool(design.dense)
    assert ("kernel_size" in asked) == ("block_dropout" in asked) == (layers > 0)
    assert ("epochs" in asked) == (design.schedule != "constant")


@given(st.integers(0, 10_000))
def test_further_axes_stay_at_their_defaults_unless_asked_for(seed: int) -> None:
    design, _ = ask(CIFAR, seed)
    assert (design.kernel_size, design.activation, design.schedule) == (3, "relu", "constant")
    assert (design.augmentation, design.label_smoothing, design.weight_decay) == ("none", 0, 0)
    assert design.epochs == 10


def replay(design, space: NetworkSpace):
    study = optuna.create_study()
    study.enqueue_trial(answers(design))
    return sample(study.ask(), space)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("space", [CIFAR, ALL])
def test_known_designs_are_points_of_the_space(name: str, space: NetworkSpace) -> None:
    design = replace(TRANSCRIPT[name], epochs=10)
    assert replay(design, space) == design


@given(st.integers(0, 10_000))
def test_answers_lead_back_to_the_design(seed: int) -> None:
    for space in (CIFAR, ALL):
        design, _ = ask(space, seed)
        assert replay(design, space) == design


def test_each_axis_changes_something() -> None:
    plain = {ask(CIFAR, seed)[0] for seed in range(40)}
    for axis in get_args(Axis):
        space = replace(CIFAR, axes=frozenset({axis}))
        assert {ask(space, seed)[0] for seed in range(40)} != plain, axis

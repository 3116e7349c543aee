from collections import Counter
from dataclasses import replace
from random import Random
from typing import get_args

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.design import Design
from models.network import measure_size
from models.transcript import TRANSCRIPT
from search.space.axes import RECIPE, Axis
from search.space.design_space import NetworkSpace, answers, sample
from search.space.portfolio import OF_TRANSCRIPT, portfolio
from search.space.prior import PriorSuggest
from search.space.ranges import AUGMENTATIONS, OPTIMIZERS, SCHEDULES, SGD_RATE

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
    assert ("epochs" in asked) == (design.schedule in ("one_cycle", "cosine", "triangular"))


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


@pytest.mark.parametrize("name", OF_TRANSCRIPT)
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
        changed = {ask(space, seed)[0] for seed in range(40)} != plain
        assert changed == (axis != "transcript"), axis


def test_recipe_stands_for_how_networks_are_trained() -> None:
    recipe = replace(CIFAR, axes=frozenset({"recipe"}))
    each = replace(CIFAR, axes=RECIPE)
    for seed in range(40):
        assert ask(recipe, seed) == ask(each, seed)


def drawn(count: int) -> list[Design]:
    space = replace(CIFAR, axes=frozenset({"recipe"}))
    return [space.sample(PriorSuggest(Random(seed))) for seed in range(count)]


def test_the_prior_draws_what_usually_works_and_excludes_nothing() -> None:
    designs = drawn(4000)
    shares = {
        field: Counter(getattr(design, field) for design in designs)
        for field in ("schedule", "optimizer", "augmentation", "batch_norm", "normalisation")
    }
    likely = {
        "schedule": "cycles",
        "optimizer": "nesterov",
        "augmentation": "flip_crop",
        "batch_norm": True,
        "normalisation": "standardise",
    }
    for field, value in likely.items():
        assert shares[field].most_common(1)[0][0] == value
    assert set(shares["schedule"]) == set(SCHEDULES)
    assert set(shares["optimizer"]) == set(OPTIMIZERS)
    assert set(shares["augmentation"]) == set(AUGMENTATIONS)
    assert {len(design.kernels) for design in designs} == {0, 1, 2, 3, 4}
    assert {len(design.dense) for design in designs} == {0, 1, 2, 3}
    rates = [d.learning_rate for d in designs if d.optimizer == "nesterov"]
    low, high = SGD_RATE
    assert min(rates) < 2 * low and max(rates) > high / 2
    assert 0.05 < sorted(rates)[len(rates) // 2] < 0.12


@pytest.mark.parametrize("size", [1, 2, 3, 8, 32])
@pytest.mark.parametrize("images", [100, 45_000])
def test_a_portfolio_is_of_the_space(size: int, images: int) -> None:
    space = NetworkSpace(9, size, size, frozenset({"recipe"}))
    known = portfolio(replace(space, images=images))
    assert len({name for name, _ in known}) == len({design for _, design in known}) == len(known)
    assert len(known) == {1: 0, 2: 4, 3: 4, 8: 6, 32: 6}[size]
    for _, design in known:
        assert replay(design, space) == design
        assert design.batch_size == (32 if images == 100 else 128)
        assert [epoch for epoch in range(10) if design.is_result(epoch)] == [1, 3, 9]

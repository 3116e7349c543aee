from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.design import Design
from models.transcript import TRANSCRIPT
from search.space.coordinates import NAMES, coordinates
from search.space.design_space import NetworkSpace
from search.space.optuna_parameters import parameters_of
from search.space.random_sampling import NeighbourSuggest, RandomSuggest, random_for

ALL = NetworkSpace(max_epochs=10, height=32, width=32, axes=frozenset({"all"}))
seeds = st.integers(0, 10_000)


def sampled(seed: int) -> Design:
    return ALL.sample(RandomSuggest(Random(seed)))


@given(seeds)
def test_every_design_is_a_point_of_the_unit_cube(seed) -> None:
    place = coordinates(sampled(seed))
    assert place.shape == (len(NAMES),)
    assert place.min() >= 0 and place.max() <= 1


@given(seeds)
def test_near_answers_give_nearer_designs(seed) -> None:
    """On average: nearer than any other design is."""
    random = Random(seed)
    base = sampled(seed)
    place = coordinates(base)

    def mean(suggests) -> float:
        return float(
            np.mean([np.linalg.norm(coordinates(ALL.sample(s)) - place) for s in suggests])
        )

    near = mean(NeighbourSuggest(random, ALL.answers(base)) for _ in range(30))
    assert near < mean(RandomSuggest(random) for _ in range(30))


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"batch_norm": True}, {"batch_norm"}),
        ({"learning_rate": 3e-3}, {"learning_rate"}),
        ({"optimizer": "adamw"}, {"optimizer_adam", "optimizer_adamw"}),
        ({"augmentation": "flip"}, {"augmentation"}),
        ({"weight_decay": 1e-4}, {"weight_decay"}),
        ({"gradient_clip": 1.0}, {"gradient_clip"}),
        ({"flat_dropout": 0.3}, {"flat_dropout"}),
        ({"schedule": "cosine"}, {"schedule_constant", "schedule_cosine"}),
    ],
)
def test_a_field_moves_its_own_coordinates(change, names) -> None:
    base = TRANSCRIPT["cnn-3"]
    moved = coordinates(replace(base, **change)) != coordinates(base)
    assert {NAMES[i] for i in np.flatnonzero(moved)} == names


@given(seeds)
def test_what_is_recalled_is_what_was_answered(seed) -> None:
    import optuna

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    asked = study.ask()
    design = ALL.sample(asked)
    params, distributions = parameters_of(ALL, design)
    # That kernels double from block to block may be an accident, and is then recalled so.
    if params.get("doubling") == asked.params.get("doubling"):
        assert distributions == asked.distributions
        assert params == pytest.approx(asked.params)


@given(seeds, st.integers(0, 5))
def test_chance_keeps_to_the_ranges_and_to_its_key(seed, decision) -> None:
    one, other = (RandomSuggest(random_for(seed, decision)) for _ in range(2))
    for chance in (one, other):
        assert 3 <= chance.suggest_int("a", 3, 9) <= 9
        assert chance.suggest_int("b", 2, 10, step=4) in (2, 6, 10)
        assert 1 <= chance.suggest_int("c", 1, 100, log=True) <= 100
        assert 0.1 <= chance.suggest_float("d", 0.1, 10, log=True) <= 10
        tenths = 10 * chance.suggest_float("e", 0, 0.5, step=0.1)
        assert tenths == pytest.approx(round(tenths)) and 0 <= tenths <= 5
    assert one.random.random() == other.random.random()

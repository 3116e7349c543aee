"""The cost model: weights of kinds of work, found again from measured seconds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.design import Design
from search.space.design_space import NetworkSpace
from search.space.epoch_work import epoch_work
from search.space.prior import PriorSuggest
from search.space.random_sampling import random_for
from search.surrogate.cost_model import CostModel

SPACE = NetworkSpace(30, 32, 32, frozenset({"recipe"}), images=45_000)


def works(count: int, seed: int = 0) -> np.ndarray:
    draws = (PriorSuggest(random_for(seed, number)) for number in range(count))
    return np.array([SPACE.work(SPACE.sample(draw)) for draw in draws])


@given(
    st.lists(st.floats(0.1, 10), min_size=4, max_size=4),
    st.integers(0, 20),
)
def test_a_machine_s_speed_is_known_after_eight_designs(speeds: list[float], seed: int) -> None:
    """Whatever each kind of work costs on it, and with measurements that are off by a tenth."""
    weights = np.array([2e-3, 3e-11, 2e-9, 2e-6]) * speeds
    work = works(28, seed)
    seconds = work @ weights
    noise = np.exp(np.random.default_rng(seed).normal(0, 0.1, len(seconds)))
    model = CostModel(work[:8], (seconds * noise)[:8])
    factor = np.exp(np.abs(np.log(model.predict(work[8:]) / seconds[8:])))
    assert np.median(factor) < 1.25


def test_one_design_is_enough_for_a_first_guess() -> None:
    work = works(20)
    seconds = work @ np.array([2e-3, 3e-11, 2e-9, 2e-6])
    model = CostModel(work[:1], seconds[:1])
    assert model.predict(work[:1]) == pytest.approx(seconds[:1], rel=0.05)
    assert (model.predict(work) > 0).all()
    assert np.corrcoef(np.log(model.predict(work)), np.log(seconds))[0, 1] > 0.9


def test_the_work_of_a_design_by_hand() -> None:
    """One convolution of 17 kernels, which take the time of 32, on 4x4 pixels; 20 images."""
    design = Design(kernels=((17,),), batch_size=8)
    steps, adds, values, images = epoch_work(design, (3, 4, 4), 2, 20)
    assert (steps, images) == (2, 20)
    assert adds == 20 * (9 * 3 * 32 * 16 + 32 * 4 * 2)
    assert values == 20 * 32 * 16

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from search.strategy.expected_improvement import log_improvement
from search.surrogate.output_warping import OutputWarping

accuracies = st.lists(st.floats(0, 1), min_size=2, max_size=60).map(np.array)


@given(accuracies)
def test_scores_go_by_rank_alone(values) -> None:
    scores = OutputWarping(values).scores
    assert ((values[:, None] > values) <= (scores[:, None] > scores)).all()
    if len(set(values)) == len(values):
        assert scores.sum() == pytest.approx(0, abs=1e-6)


@given(accuracies)
def test_accuracies_come_back_and_stay_below_one(values) -> None:
    warp = OutputWarping(values)
    assert warp.accuracy(warp.scores) == pytest.approx(values)
    beyond = warp.accuracy(np.linspace(-5, 50, 200))
    assert (np.diff(beyond) >= -1e-12).all() and beyond.max() <= 1


def test_the_expected_gain_is_none_far_below_and_grows_with_uncertainty() -> None:
    warp = OutputWarping(np.linspace(0.2, 0.6, 30))
    assert warp.expected_gain(-5, 0.1) == 0
    gains = [warp.expected_gain(warp.top, deviation) for deviation in (0.1, 0.5, 1.0)]
    assert 0 < gains[0] < gains[1] < gains[2] < 0.4


def test_the_logarithm_of_the_expected_improvement() -> None:
    mean, deviation, best = np.array([0.0, 1.0, -3.0]), np.array([1.0, 0.5, 0.7]), 0.8
    away = (mean - best) / deviation
    expected = deviation * (away * norm.cdf(away) + norm.pdf(away))
    assert log_improvement(mean, deviation, best) == pytest.approx(np.log(expected), rel=1e-6)
    above = np.array([50.0, 1e4])  # then all that is above the best is improvement
    assert log_improvement(above, np.ones(2), 0.0) == pytest.approx(np.log(above))
    far = log_improvement(np.array([-50.0, -40.0]), np.ones(2), 0.0)
    assert np.isfinite(far).all() and far[0] < far[1]

"""The Gaussian process over curves, against scikit-learn's and against its own gradient."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from search import curve_model
from search.curve_model import CurveModel, Hyperparameters


def some(n: int, d: int, seed: int = 0):
    random = np.random.default_rng(seed)
    designs, times = random.random((n, d)), random.choice([0.0, 0.3, 0.6, 1.0], n)
    values = np.sin(4 * designs[:, 0]) + times * designs[:, -1] + 0.05 * random.normal(size=n)
    return designs, times, (values - values.mean()) / values.std()


def test_predictions_are_those_of_scikit_learn_where_time_plays_no_part() -> None:
    designs, _, values = some(25, 3)
    lengths = np.array([0.4, 0.9, 2.0])
    # Without the terms of time: their variances are next to nothing.
    tail = np.log([1.0, 1.3, 1e-12, 1e-12, 0.05])
    ours = CurveModel(Hyperparameters(np.log(lengths), tail), designs, np.zeros(25), values)
    kernel = ConstantKernel(1.3) * Matern(lengths, nu=2.5) + WhiteKernel(0.05 + curve_model.JITTER)
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(designs, values)
    asked = np.random.default_rng(1).random((40, 3))
    mean, deviation = ours.predict(asked, np.zeros(40))
    expected, total = theirs.predict(asked, return_std=True)
    assert mean == pytest.approx(expected, abs=1e-8)
    assert deviation**2 == pytest.approx(total**2 - 0.05 - curve_model.JITTER, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_that_of_the_objective(seed) -> None:
    designs, times, values = some(20, 4, seed)
    prior = curve_model.initial(designs)
    start = np.concatenate([prior.lengths, prior.tail])
    point = start + np.random.default_rng(seed).normal(0, 0.4, len(start))
    apart = (times[:, None] - times) ** 2
    fixed = (start, np.full(len(start), 0.8), designs, apart, values)
    numeric = approx_fprime(point, lambda p: curve_model._objective(p, *fixed)[0], 1e-6)
    assert curve_model._objective(point, *fixed)[1] == pytest.approx(numeric, abs=2e-4)


def test_fitting_finds_what_matters_and_forecasts() -> None:
    designs, times, values = some(120, 4)
    fitted = curve_model.fit(designs[:90], times[:90], values[:90])
    # Coordinates 1 and 2 play no part: their lengths are longer.
    assert min(fitted.lengths[[1, 2]]) > max(fitted.lengths[[0, 3]])
    model = CurveModel(fitted, designs[:90], times[:90], values[:90])
    mean, deviation = model.predict(designs[90:], times[90:])
    assert np.corrcoef(mean, values[90:])[0, 1] > 0.95
    assert (deviation > 0).all()


def test_a_curve_s_own_beginning_counts() -> None:
    """Of two like designs, the one that was seen to be better is forecast to stay so."""
    designs, times, values = some(60, 2)
    pair = np.array([[0.5, 0.5], [0.52, 0.5]])
    seen = np.concatenate([designs, pair])
    model = CurveModel(
        curve_model.fit(designs, times, values),
        seen,
        np.concatenate([times, [0.6, 0.6]]),
        np.concatenate([values, [1.5, -1.5]]),
    )
    mean, _ = model.predict(pair, np.ones(2))
    assert mean[0] > mean[1]

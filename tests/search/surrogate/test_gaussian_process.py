"""The Gaussian process over curves, against scikit-learn's and against its own gradient."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from search.surrogate import curve_kernel, kernel_fit
from search.surrogate.curve_kernel import Hyperparameters
from search.surrogate.gaussian_process import Covariance, GaussianProcess


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
    known = Covariance.of(Hyperparameters(np.log(lengths), tail), designs, np.zeros(25))
    ours = GaussianProcess(known, values)
    kernel = ConstantKernel(1.3) * Matern(lengths, nu=2.5) + WhiteKernel(0.05 + curve_kernel.JITTER)
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(designs, values)
    asked = np.random.default_rng(1).random((40, 3))
    forecast = ours.predict(asked, np.zeros(40))
    mean, deviation = forecast.mean, forecast.deviation
    expected, total = theirs.predict(asked, return_std=True)
    assert mean == pytest.approx(expected, abs=1e-8)
    assert deviation**2 == pytest.approx(total**2 - 0.05 - curve_kernel.JITTER, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_that_of_the_objective(seed) -> None:
    designs, times, values = some(20, 4, seed)
    prior = curve_kernel.initial(designs)
    start = np.concatenate([prior.lengths, prior.tail])
    point = start + np.random.default_rng(seed).normal(0, 0.4, len(start))
    seen = kernel_fit._in_order(designs, times, values)
    fixed = (start, np.full(len(start), 0.8), seen)
    numeric = approx_fprime(point, lambda p: kernel_fit._objective(p, *fixed)[0], 1e-6)
    assert kernel_fit._objective(point, *fixed)[1] == pytest.approx(numeric, abs=2e-4)


def test_fitting_finds_what_matters_and_forecasts() -> None:
    designs, times, values = some(120, 4)
    fitted = kernel_fit.fit(designs[:90], times[:90], values[:90])
    # Coordinates 1 and 2 play no part: their lengths are longer.
    assert min(fitted.lengths[[1, 2]]) > max(fitted.lengths[[0, 3]])
    known = Covariance.of(fitted, designs[:90], times[:90])
    forecast = GaussianProcess(known, values[:90]).predict(designs[90:], times[90:])
    assert np.corrcoef(forecast.mean, values[90:])[0, 1] > 0.95
    assert (forecast.deviation > 0).all()


def test_a_curve_s_own_beginning_counts() -> None:
    """Of two like designs, the one that was seen to be better is forecast to stay so."""
    designs, times, values = some(60, 2)
    pair = np.array([[0.5, 0.5], [0.52, 0.5]])
    known = Covariance.of(kernel_fit.fit(designs, times, values), designs, times)
    known = known.extended(known.kernel.scaled(pair), np.array([0.6, 0.6]))
    model = GaussianProcess(known, np.concatenate([values, [1.5, -1.5]]))
    mean = model.expected(pair, np.ones(2))
    assert mean[0] > mean[1]


@pytest.mark.parametrize("first", [1, 17, 39])
def test_what_is_learned_later_is_as_if_it_had_been_known_at_once(first) -> None:
    designs, times, values = some(40, 3)
    fitted = kernel_fit.fit(designs, times, values)
    at_once = GaussianProcess(Covariance.of(fitted, designs, times), values)
    known = Covariance.of(fitted, designs[:first], times[:first])
    further = known.kernel.scaled(designs[first:])
    later = GaussianProcess(known.extended(further, times[first:]), values)
    asked, when, _ = some(30, 3, seed=1)
    ours, theirs = later.predict(asked, when), at_once.predict(asked, when)
    assert ours.mean == pytest.approx(theirs.mean, abs=1e-9)
    assert ours.deviation == pytest.approx(theirs.deviation, abs=1e-9)
    assert later.expected(asked, when) == pytest.approx(theirs.mean, abs=1e-9)


def test_what_is_believed_is_as_if_it_had_been_seen_as_it_was_forecast() -> None:
    designs, times, values = some(40, 3)
    known = Covariance.of(kernel_fit.fit(designs, times, values), designs, times)
    model = GaussianProcess(known, values)
    asked, when, _ = some(30, 3, seed=1)
    forecast = model.predict(asked, when)
    before = forecast.deviation
    for index, at in ((3, 0.0), (20, 0.6), (4, 1.0)):
        forecast.believe(index, np.array([at]))
    believed, then = asked[[3, 20, 4]], np.array([0.0, 0.6, 1.0])
    seen = GaussianProcess(
        known.extended(known.kernel.scaled(believed), then),
        np.concatenate([values, model.expected(believed, then)]),
    ).predict(asked, when)
    assert forecast.mean == pytest.approx(seen.mean, abs=1e-9)
    assert forecast.deviation == pytest.approx(seen.deviation, abs=1e-9)
    assert forecast.deviation[3] < 0.9 * before[3]

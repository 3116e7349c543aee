"""How many threads BLAS takes while a strategy decides."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from search.space.design_space import NetworkSpace
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.surrogate.forecast import Forecast, Forecaster
from search.terms.actions import Start


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def two_threads() -> Iterator[None]:
    with threadpool_limits(limits=2, user_api="blas"):
        yield


def test_a_forecast_is_made_with_one_thread(
    two_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[int]] = []
    now = Forecaster.now

    def watched(forecaster: Forecaster) -> Forecast:
        seen.append(blas_threads())
        return now(forecaster)

    monkeypatch.setattr(Forecaster, "now", watched)
    settings = StrategySettings(scheduler="none", startup=3, random_share=0.0)
    search = SearchStrategy(NetworkSpace(9, 8, 8), settings)
    for trial in range(6):
        start = search.next()
        assert isinstance(start, Start)
        search.started(trial, start.design, start.to_epoch)
        search.decided()
        search.told(trial, 1, 0.1 * trial, 1.0)
    assert len(seen) >= 2 and all(each == {1} for each in seen)
    assert blas_threads() == {2}

"""The time that budgets of all kinds leave for a lane."""

from types import SimpleNamespace

import pytest

from search.scheduling.time_left import time_left
from search.terms import time_left as fields
from search.terms.budget import parse
from search.terms.plan import Plan
from search.terms.price import Bill
from search.terms.time_left import TimeLeft


def recorder(plan: Plan, seconds: float, used: Bill, price: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(plan=plan, seconds=lambda: seconds, used=lambda: used, price=price)


NONE_USED = Bill(0.0, 0.0, 0.0)


def test_of_wall_clock_time_each_worker_of_a_lane_has_all() -> None:
    two = recorder(Plan(4, 2, 1, 0.0), 90.0, NONE_USED)
    assert time_left(two, parse(["10min"]), 4) == TimeLeft(1020.0, 1200.0, 4)


def test_gpu_hours_are_shared_by_the_lanes() -> None:
    quarter = recorder(Plan(8, 1, 1, 0.25), 0.0, Bill(0.5, 2.0, None))
    # 1.5 GPU-hours are left: 6 hours of a quarter, 45 minutes for each of eight lanes.
    assert time_left(quarter, parse(["2gpuh"]), 8) == TimeLeft(2700.0, 3600.0, 8)


def test_money_buys_core_hours_where_there_is_no_gpu() -> None:
    cores = recorder(Plan(2, 1, 4, 0.0), 0.0, Bill(None, 2.0, 1.0), price=0.5)
    # 3 are left: 6 core-hours, 90 minutes of four cores, 45 for each of two lanes.
    assert time_left(cores, parse(["$4"]), 2) == TimeLeft(2700.0, 3600.0, 2)


def test_the_tightest_limit_counts_and_trials_are_none() -> None:
    one = recorder(Plan(1, 1, 1, 1.0), 3000.0, Bill(0.1, 0.1, None))
    assert time_left(one, parse(["1h", "1gpuh"]), 1) == TimeLeft(600.0, 3600.0, 1)
    assert time_left(one, parse(["20trials"]), 1) is None
    assert time_left(one, parse(["40min"]), 1).seconds == 0.0  # spent, and never less


@pytest.mark.parametrize("left", [None, TimeLeft(12.345, 60.0, 3)])
def test_the_ledger_has_the_number_that_the_strategy_was_told(left: TimeLeft | None) -> None:
    assert fields.of_fields(fields.fields_of(left)) == left

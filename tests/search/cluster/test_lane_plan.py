"""The default number of workers that share a trial: two cores where a planned time ends with the
training of one design, one elsewhere."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from search.cli.options import RunOptions, SearchOptions, TranscriptOptions
from search.cluster import lane_plan, ray_connection
from search.terms.budget import parse
from search.terms.plan import Plan

CIFAR = SimpleNamespace(shape=(3, 32, 32), train_count=45_000)
DIGITS = SimpleNamespace(shape=(1, 8, 8), train_count=1_438)
SHARED, ONE_EACH = Plan(1, 2, 1, 0), Plan(2, 1, 1, 0)


def plan(
    options: RunOptions,
    monkeypatch: pytest.MonkeyPatch,
    *,
    budget: str = "20min",
    images: Any = CIFAR,
    node: dict[str, float] | None = None,
) -> Plan:
    monkeypatch.setattr(ray_connection, "node_resources", lambda: [node or {"CPU": 2}])
    monkeypatch.setattr(ray_connection, "growable_nodes", list)
    monkeypatch.setattr(lane_plan, "uses_mps", lambda options: False)
    return lane_plan.plan_of(options, parse([budget]), images)


def test_two_cores_share_a_trial_of_many_images(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(SearchOptions(), monkeypatch) == SHARED
    assert plan(SearchOptions(), monkeypatch, node={"CPU": 4}) == Plan(2, 2, 1, 0)
    assert plan(SearchOptions(), monkeypatch, node={"CPU": 1}) == Plan(1, 1, 1, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"workers_per_trial": 1},
        {"parallel": 2},
        {"axes": ("transcript",)},
        {"searcher": "tpe"},
        {"scheduler": "asha"},
        {"objectives": "accuracy,cost"},
        {"stop_when_gain_below": "1 points per coreh"},
        {"train_images": 10_000},
    ],
)
def test_elsewhere_each_core_trains_its_own(
    changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan(replace(SearchOptions(), **changed), monkeypatch) == ONE_EACH


def test_without_a_limit_of_time_or_with_few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(SearchOptions(), monkeypatch, budget="20trials") == ONE_EACH
    assert plan(SearchOptions(), monkeypatch, images=DIGITS) == ONE_EACH
    assert plan(TranscriptOptions(), monkeypatch) == ONE_EACH
    gpu = {"CPU": 8.0, "GPU": 2.0}
    assert plan(SearchOptions(), monkeypatch, node=gpu) == Plan(2, 1, 1, 1.0)

"""Points, the front, what is near it, and the table of accuracy versus cost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.run import frames
from analysis.tables.accuracy_cost import accuracy_cost_table
from analysis.tables.epoch_gain import epoch_gain_table, steps
from analysis.tables.front_points import with_front
from models.design import Design
from search.terms.front import on_front

POINTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30)


def dominates(one, other):
    return one[0] >= other[0] and one[1] <= other[1] and one != other


@given(POINTS)
def test_a_point_stands_on_the_front_exactly_if_no_other_dominates_it(points):
    accuracy, cost = np.array(points, dtype=float).T
    front = on_front(accuracy, cost)
    for point, stands in zip(points, front, strict=True):
        assert stands == (not any(dominates(other, point) for other in points))


@given(POINTS)
def test_what_is_on_the_front_is_near_it(points):
    frame = pd.DataFrame(points, columns=["val_accuracy", "seconds"]).assign(trial=0)
    marked = with_front(frame)
    assert marked.loc[marked["on_front"], "near_front"].all()


def test_near_the_front_is_within_one_percentage_point_of_it():
    frame = pd.DataFrame(
        {
            "trial": [0, 1, 2, 3],
            "val_accuracy": [0.80, 0.79, 0.789, 0.80],
            "seconds": [10.0, 20.0, 20.0, 30.0],
        }
    )
    marked = with_front(frame).set_index("trial")
    assert marked["on_front"].to_dict() == {0: True, 1: False, 2: False, 3: False}
    assert marked["near_front"].to_dict() == {0: True, 1: True, 2: False, 3: True}


def test_the_table_has_its_columns_first_and_the_measured_numbers(make_run):
    run = make_run()
    run.record(price=3.6)
    run.trial(0, [0.5, 0.6], seconds=100.0, parameters=1000)
    run.trial(1, [0.4, 0.7], seconds=200.0, parameters=2000)
    table = accuracy_cost_table(frames.points(run.findings().run), "validation")
    assert list(table.frame.columns)[:10] == [
        *("trial", "epochs", "val_accuracy", "seconds", "gpu_hours", "cpu_core_hours", "cost"),
        *("parameters", "flops", "on_front"),
    ]
    rows = table.frame[["trial", "epochs", "val_accuracy", "seconds", "on_front"]]
    assert rows.to_numpy().tolist() == [
        [0, 1, 0.5, 100.0, True],
        [0, 2, 0.6, 200.0, True],
        [1, 2, 0.7, 400.0, True],
    ]
    assert table.frame["gpu_hours"].isna().all()
    assert table.frame["cost"].tolist() == pytest.approx([0.1, 0.2, 0.4])
    assert table.frame["flops"].tolist() == [2000, 2000, 4000]


def test_hours_are_worker_seconds_times_the_share_of_a_worker(make_run):
    run = make_run()
    run.record(price=2.0)
    run.trial(0, [0.5], seconds=7200.0, workers=2, gpus=0.5)
    row = frames.points(run.findings().run).iloc[0]
    # The ledger's seconds are summed over the workers already: 2 workers do not double them.
    assert (row["seconds"], row["cpu_core_hours"], row["gpu_hours"]) == (7200.0, 2.0, 1.0)
    assert row["cost"] == 2.0


def test_without_a_price_cost_is_empty(make_run):
    run = make_run()
    run.trial(0, [0.5])
    assert frames.points(run.findings().run)["cost"].isna().all()


def test_a_design_with_a_schedule_counts_at_its_last_epoch_only(make_run):
    run = make_run()
    run.trial(0, [0.5, 0.6, 0.7], design=Design(schedule="cosine", epochs=3))
    run.trial(1, [0.8, 0.9], design=Design(schedule="cosine", epochs=3), state="stopped")
    points = frames.points(run.findings().run)
    assert points[["trial", "epochs", "seconds"]].to_numpy().tolist() == [[0, 3, 3.0]]


def test_a_diverged_epoch_is_no_point(make_run):
    run = make_run()
    run.trial(0, [0.5, None], state="failed", reason="diverged")
    assert frames.points(run.findings().run)["epochs"].tolist() == [1]


def test_steps_double_and_end_at_the_last_epoch():
    assert steps([1, 2, 3, 4, 5, 6]) == [(1, 2), (2, 4), (4, 6)]
    assert steps([1, 3, 10]) == [(1, 3), (3, 10)]
    assert steps([1, 3, 9, 27, 50]) == [(1, 3), (3, 9), (9, 27), (27, 50)]
    assert steps([1]) == [] and steps([10]) == [] and steps([]) == []


def test_the_marginal_gain_of_epochs(make_run):
    run = make_run()
    run.trial(0, [0.50, 0.60, 0.61, 0.64], seconds=1800.0)
    frame = epoch_gain_table(frames.points(run.findings().run), "validation").frame
    assert frame[["from_epochs", "to_epochs"]].to_numpy().tolist() == [[1, 2], [2, 4]]
    assert frame["gained_points"].tolist() == pytest.approx([10.0, 4.0])
    assert frame["further_cpu_core_hours"].tolist() == pytest.approx([0.5, 1.0])
    assert frame["points_per_hour"].tolist() == pytest.approx([20.0, 4.0])
    assert frame["further_gpu_hours"].isna().all()


def test_gain_is_an_hour_of_a_gpu_where_there_is_one(make_run):
    run = make_run()
    run.trial(0, [0.5, 0.6], seconds=3600.0, gpus=0.5)
    frame = epoch_gain_table(frames.points(run.findings().run), "validation").frame
    assert frame["points_per_hour"].tolist() == pytest.approx([20.0])

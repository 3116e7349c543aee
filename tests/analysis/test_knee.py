"""Where the knee is, and when there is none."""

import pandas as pd

from analysis.tables import knee


def front(*points):
    return pd.DataFrame(points, columns=["seconds", "val_accuracy"])


def test_the_knee_is_farthest_above_the_chord():
    # Scaled: cost 0, 0.1, 0.3, 1; accuracy 0, 0.5, 0.9, 1.
    found = knee.find(front((10, 0.5), (20, 0.7), (40, 0.86), (110, 0.9)))
    assert found.row is not None and found.row["seconds"] == 40 and found.reason == ""


def test_the_order_of_rows_does_not_matter():
    found = knee.find(front((1000, 0.9), (10, 0.8), (1, 0.5)))
    assert found.row is not None and found.row["seconds"] == 10


def test_fewer_than_three_points_have_no_knee():
    found = knee.find(front((1, 0.5), (10, 0.8)))
    assert found.row is None and "fewer than 3 points" in found.reason


def test_equal_points_count_once():
    assert knee.find(front((1, 0.5), (1, 0.5), (10, 0.8))).row is None


def test_a_front_below_its_chord_has_no_knee():
    found = knee.find(front((1, 0.5), (60, 0.6), (100, 0.9)))
    assert found.row is None and "does not bend" in found.reason


def test_an_empty_front_has_no_knee():
    assert knee.find(front()).row is None

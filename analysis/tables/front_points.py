"""Marks the points on, or near, the Pareto front of accuracy against training time."""

import pandas as pd

from search.terms.front import front_accuracy, on_front

NEAR = 0.01
"""How far below the front a point still counts as near it: one percentage point, as a fraction."""


def with_front(points: pd.DataFrame, column: str = "val_accuracy") -> pd.DataFrame:
    """`points` (with seconds, and accuracies in `column`) with on_front and near_front, cheapest
    first."""
    accuracy = points[column].to_numpy(dtype=float)
    cost = points["seconds"].to_numpy(dtype=float)
    # 1e-9 allows for rounding: 0.80 - 0.79 is a little more than 0.01.
    near = accuracy >= front_accuracy(accuracy, cost) - NEAR - 1e-9
    marked = points.assign(on_front=on_front(accuracy, cost), near_front=near)
    return marked.sort_values(
        ["seconds", column, "trial"], ascending=[True, False, True], ignore_index=True
    )

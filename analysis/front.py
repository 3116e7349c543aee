"""The front: the points that no other point beats at both accuracy and cost."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.front import non_dominated

NEAR = 0.01
"""How far below the front a point still counts as near it: one percentage point."""


def on_front(accuracy: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of n points (n,) no other dominates."""
    front = np.zeros(len(accuracy), dtype=bool)
    front[non_dominated(list(zip(accuracy.tolist(), cost.tolist(), strict=True)))] = True
    return front


def front_accuracy(accuracy: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each of n points (n,) the accuracy that the front gives at no more than its cost."""
    order = np.argsort(cost, kind="stable")
    best = np.maximum.accumulate(accuracy[order])
    last = np.searchsorted(cost[order], cost, side="right") - 1
    return best[last] if len(best) else best


def with_front(points: pd.DataFrame, column: str = "val_accuracy") -> pd.DataFrame:
    """`points` (with seconds, and accuracies in `column`) with on_front and near_front, cheapest
    first."""
    accuracy = points[column].to_numpy(dtype=float)
    cost = points["seconds"].to_numpy(dtype=float)
    # The hair's breadth takes up rounding: 0.80 - 0.79 is a little more than 0.01.
    near = accuracy >= front_accuracy(accuracy, cost) - NEAR - 1e-9
    marked = points.assign(on_front=on_front(accuracy, cost), near_front=near)
    return marked.sort_values(
        ["seconds", column, "trial"], ascending=[True, False, True], ignore_index=True
    )

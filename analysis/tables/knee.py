"""Finds the knee of the Pareto front of accuracy versus training time (Satopaa et al. 2011)."""

from typing import NamedTuple

import numpy as np
import pandas as pd

LEAST_POINTS = 3
RULE = (
    "The knee is the point of the front that lies farthest above the straight line from the "
    "front's cheapest point to its best one, cost and accuracy each scaled to 0..1 (Satopaa et "
    "al. 2011): up to it a percentage point costs less than the average over the front, beyond it "
    "more."
)


class Knee(NamedTuple):
    """The knee, or why there is none."""

    row: pd.Series | None
    """The knee's row of the front: trial, epochs, val_accuracy, seconds and so on."""
    reason: str
    """Why there is no knee; empty where there is one."""


def find(front: pd.DataFrame, column: str = "val_accuracy") -> Knee:
    """The knee of `front` (with seconds, and accuracies in `column`; any order)."""
    points = front.drop_duplicates(["seconds", column]).sort_values("seconds")
    points = points[points["seconds"] > 0]
    if len(points) < LEAST_POINTS:
        return Knee(None, f"the front has fewer than {LEAST_POINTS} points")
    cost = points["seconds"].to_numpy(dtype=float)
    accuracy = points[column].to_numpy(dtype=float)
    # A front rises strictly, so neither span is zero.
    above = _scaled(accuracy) - _scaled(cost)
    best = int(np.argmax(above))
    if above[best] <= 1e-9:
        return Knee(None, "the front does not bend: accuracy never outruns cost")
    return Knee(points.iloc[best], "")


def _scaled(values: np.ndarray) -> np.ndarray:
    return (values - values[0]) / (values[-1] - values[0])

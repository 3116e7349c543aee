"""Chooses the recommended point: the cheapest or most accurate design within limits."""

from typing import NamedTuple

import pandas as pd


class Limits(NamedTuple):
    """Limits of a recommendation; None for no limit."""

    min_accuracy: float | None = None
    """0..1."""
    max_cost: float | None = None
    """Of training, in the run's price units."""
    max_parameters: float | None = None


def choose(points: pd.DataFrame, limits: Limits, column: str = "val_accuracy") -> pd.Series | None:
    """The point to recommend of `points` (frames.points); None if none keeps to all limits.

    With a least accuracy it is the one cheapest to train, else the most accurate one; of equals the
    one better at the other, then with fewer parameters. `column` has the accuracies.
    """
    fitting = points[_excess(points, limits, column) <= 0]
    if fitting.empty:
        return None
    if limits.min_accuracy is not None:
        order, ascending = ["seconds", column, "parameters"], [True, False, True]
    else:
        order, ascending = [column, "seconds", "parameters"], [False, True, True]
    return fitting.sort_values(order, ascending=ascending, kind="stable").iloc[0]


def closest(points: pd.DataFrame, limits: Limits, column: str = "val_accuracy") -> pd.Series | None:
    """The point that misses the limits by least, each miss relative to its limit, and summed."""
    if points.empty:
        return None
    return points.iloc[int(_excess(points, limits, column).to_numpy().argmin())]


def _excess(points: pd.DataFrame, limits: Limits, accuracy: str) -> pd.Series:
    total = pd.Series(0.0, index=points.index)
    if limits.min_accuracy is not None:
        total += (1 - points[accuracy].astype(float) / limits.min_accuracy).clip(lower=0)
    for column, limit in (("cost", limits.max_cost), ("parameters", limits.max_parameters)):
        if limit is not None:
            total += (points[column].astype(float) / limit - 1).clip(lower=0)
    return total

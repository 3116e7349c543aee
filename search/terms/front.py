"""The Pareto front of accuracy (maximised) against cost (minimised): non-dominated sorting,
crowding distance, hypervolume."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def non_dominated(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the non-dominated points (accuracy, cost), in order of cost.

    A point dominates another if it is no worse in either objective and better in one; equal points
    are on the front together.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][1], -points[i][0], i))
    front: list[int] = []
    for index in order:
        last = points[front[-1]] if front else None
        if last is None or points[index][0] > last[0] or points[index] == last:
            front.append(index)
    return front


def on_front(accuracy: Array, cost: Array) -> NDArray[np.bool_]:
    """Boolean mask (n,) of the non-dominated points."""
    front = np.zeros(len(accuracy), dtype=bool)
    front[non_dominated(list(zip(accuracy.tolist(), cost.tolist(), strict=True)))] = True
    return front


def front_accuracy(accuracy: Array, cost: Array) -> Array:
    """For each of n points (n,) the best accuracy among points of at most its cost."""
    order = np.argsort(cost, kind="stable")
    best = np.maximum.accumulate(accuracy[order])
    last = np.searchsorted(cost[order], cost, side="right") - 1
    return best[last] if len(best) else best


def fronts(points: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Non-dominated sorting (Deb et al. 2002): indices by rank, i.e. the front, the front of the
    remaining points, and so on, each in order of cost."""
    left = list(range(len(points)))
    ranked = []
    while left:
        rank = [left[i] for i in non_dominated([points[i] for i in left])]
        ranked.append(rank)
        gone = set(rank)
        left = [i for i in left if i not in gone]
    return ranked


def crowding(front: Sequence[tuple[float, float]]) -> list[float]:
    """Crowding distances (Deb et al. 2002) of a front in order of cost: the sides of the box
    between a point's neighbours, each relative to the front's span; infinite at both ends."""
    room = [float("inf")] * len(front)
    if len(front) < 3:
        return room
    spans = [max(p[side] for p in front) - min(p[side] for p in front) or 1.0 for side in (0, 1)]
    for i in range(1, len(front) - 1):
        before, after = front[i - 1], front[i + 1]
        room[i] = sum(abs(after[side] - before[side]) / spans[side] for side in (0, 1))
    return room


def hypervolume(points: Array) -> float:
    """The hypervolume of points (n, 2), as (gain, cost), with reference point (0, 1)."""
    begin, end, height = _stairs(points)
    return float((height * (end - begin)).sum())


def hypervolume_gain(points: Array, further: Array) -> Array:
    """Hypervolume improvement (m,): what each of `further` (m, 2) alone would add to the
    hypervolume of `points` (n, 2)."""
    begin, end, height = _stairs(points)
    covered = np.maximum(end - np.maximum(begin, further[:, 1:]), 0)
    return (covered * np.maximum(further[:, :1] - height, 0)).sum(1)


def _stairs(points: Array) -> tuple[Array, Array, Array]:
    """The front as a step function: begin and end of each step, over cost 0 to 1, and its gain."""
    inside = points[(points[:, 0] > 0) & (points[:, 1] < 1)]
    front = inside[non_dominated([(float(gain), float(cost)) for gain, cost in inside])]
    begin = np.concatenate([[0.0], np.maximum(front[:, 1], 0.0)])
    end = np.concatenate([begin[1:], [1.0]])
    return begin, end, np.concatenate([[0.0], front[:, 0]])

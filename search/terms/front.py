"""The front of accuracy against cost: the points that no other point beats at both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def non_dominated(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (accuracy, cost) that no other dominates, in order of cost.

    A point dominates another if it is no worse at either and better at one; equal points stand on
    the front together.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][1], -points[i][0], i))
    front: list[int] = []
    for index in order:
        last = points[front[-1]] if front else None
        if last is None or points[index][0] > last[0] or points[index] == last:
            front.append(index)
    return front


def on_front(accuracy: Array, cost: Array) -> NDArray[np.bool_]:
    """Which of n points (n,) no other dominates."""
    front = np.zeros(len(accuracy), dtype=bool)
    front[non_dominated(list(zip(accuracy.tolist(), cost.tolist(), strict=True)))] = True
    return front


def front_accuracy(accuracy: Array, cost: Array) -> Array:
    """For each of n points (n,) the accuracy that the front gives at no more than its cost."""
    order = np.argsort(cost, kind="stable")
    best = np.maximum.accumulate(accuracy[order])
    last = np.searchsorted(cost[order], cost, side="right") - 1
    return best[last] if len(best) else best


def fronts(points: Sequence[tuple[float, float]]) -> list[list[int]]:
    """All points by rank: the front, the front of the others, and so on (non-dominated sorting,
    Deb et al. 2002), each in order of cost."""
    left = list(range(len(points)))
    ranked = []
    while left:
        rank = [left[i] for i in non_dominated([points[i] for i in left])]
        ranked.append(rank)
        gone = set(rank)
        left = [i for i in left if i not in gone]
    return ranked


def crowding(front: Sequence[tuple[float, float]]) -> list[float]:
    """How much room each point of a front has, which is in order of cost (Deb et al. 2002): the
    sides of the box between its neighbours, each as a part of the front's; infinite at its ends."""
    room = [float("inf")] * len(front)
    if len(front) < 3:
        return room
    spans = [max(p[side] for p in front) - min(p[side] for p in front) or 1.0 for side in (0, 1)]
    for i in range(1, len(front) - 1):
        before, after = front[i - 1], front[i + 1]
        room[i] = sum(abs(after[side] - before[side]) / spans[side] for side in (0, 1))
    return room


def hypervolume(points: Array) -> float:
    """The area that points (n, 2) dominate: of a gain, from 0, and a cost, 0 to 1."""
    begin, end, height = _stairs(points)
    return float((height * (end - begin)).sum())


def hypervolume_gain(points: Array, further: Array) -> Array:
    """By how much each of `further` (m, 2) adds to the hypervolume of `points` (n, 2)."""
    begin, end, height = _stairs(points)
    covered = np.maximum(end - np.maximum(begin, further[:, 1:]), 0)
    return (covered * np.maximum(further[:, :1] - height, 0)).sum(1)


def _stairs(points: Array) -> tuple[Array, Array, Array]:
    """Where each step of the front begins and ends, from cost 0 to 1, and how high it is."""
    inside = points[(points[:, 0] > 0) & (points[:, 1] < 1)]
    front = inside[non_dominated([(float(gain), float(cost)) for gain, cost in inside])]
    begin = np.concatenate([[0.0], np.maximum(front[:, 1], 0.0)])
    end = np.concatenate([begin[1:], [1.0]])
    return begin, end, np.concatenate([[0.0], front[:, 0]])

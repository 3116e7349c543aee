"""The front of accuracy against cost."""

from collections.abc import Sequence


def non_dominated(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (accuracy, cost) that no other beats: more accurate for no more cost,
    or as accurate for less. Of equal points the first stands. In order of cost."""
    order = sorted(range(len(points)), key=lambda i: (points[i][1], -points[i][0], i))
    front: list[int] = []
    for index in order:
        if not front or points[index][0] > points[front[-1]][0]:
            front.append(index)
    return front

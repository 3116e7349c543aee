from hypothesis import given
from hypothesis import strategies as st

from search.front import non_dominated


def test_by_hand() -> None:
    points = [(0.5, 10), (0.6, 10), (0.6, 20), (0.7, 5), (0.4, 1), (0.9, 50), (0.4, 1)]
    assert non_dominated(points) == [4, 6, 3, 5]
    assert non_dominated([]) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_front_dominates_the_rest_and_nobody_in_it(points: list[tuple[int, int]]) -> None:
    def beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
        return one[0] >= other[0] and one[1] <= other[1] and one != other

    front = non_dominated(points)
    chosen = {points[index] for index in front}
    assert len(set(front)) == len(front)
    for index, point in enumerate(points):
        assert (index in front) == (point in chosen)  # equal points stand together
        if point in chosen:
            assert not any(beats(other, point) for other in points)
        else:
            assert any(beats(other, point) for other in chosen)

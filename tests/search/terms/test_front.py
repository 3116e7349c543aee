import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.terms.front import crowding, fronts, hypervolume, hypervolume_gain, non_dominated


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


points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=25)


@given(points)
def test_fronts_are_all_points_each_rank_outdone_by_the_one_before(points) -> None:
    ranked = fronts(points)
    assert sorted(i for rank in ranked for i in rank) == list(range(len(points)))
    for number, rank in enumerate(ranked):
        rest = [i for later in ranked[number:] for i in later]
        assert {points[i] for i in rank} == {
            points[rest[i]] for i in non_dominated([points[i] for i in rest])
        }


def test_crowding_by_hand() -> None:
    room = crowding([(0.0, 0.0), (1.0, 1.0), (3.0, 2.0), (4.0, 10.0)])
    assert room == [float("inf"), 3 / 4 + 2 / 10, 3 / 4 + 9 / 10, float("inf")]
    assert crowding([(1.0, 1.0)]) == [float("inf")]
    assert crowding([]) == []


unit = st.lists(st.tuples(st.floats(-0.2, 1), st.floats(-0.2, 1.2)), max_size=12)


@given(unit, unit)
def test_areas_are_those_of_a_fine_grid(known, further) -> None:
    """Half a cell in each step of the staircase is what a grid of 200 cells may be off by."""
    known, further = (np.array(each, float).reshape(-1, 2) for each in (known, further))
    cells = (np.arange(200) + 0.5) / 200

    def covered(points):
        gain, cost = points[:, :1, None], points[:, 1:, None]
        return ((cells[None, :, None] < gain) & (cells[None, None, :] > cost)).any(0)

    before = covered(known) if len(known) else np.zeros((200, 200), bool)
    assert abs(hypervolume(known) - before.mean()) < 0.03
    for gain, point in zip(hypervolume_gain(known, further), further, strict=True):
        more = covered(point[None]) & ~before
        assert abs(gain - more.mean()) < 0.03
        joined = np.concatenate([known, point[None]])
        assert abs(hypervolume(known) + gain - hypervolume(joined)) < 1e-9

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.data.images import DataError, Images, draw, split, to_device


def images(counts: list[int]) -> Images:
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    return Images(torch.zeros(len(labels), 1, 2, 2, dtype=torch.uint8), labels)


def test_split_is_stratified_disjoint_and_fixed() -> None:
    train, validation = split(images([200, 100, 50]))
    assert len(train) == 315 and len(validation) == 35
    assert validation.images.labels[validation.index].bincount().tolist() == [20, 10, 5]
    assert not set(train.index.tolist()) & set(validation.index.tolist())
    assert torch.equal(split(images([200, 100, 50]))[1].index, validation.index)


def test_fewer_images_are_drawn_class_by_class() -> None:
    train, validation = split(images([200, 100]), 60)
    both = torch.cat([train.index, validation.index])
    assert train.images.labels[both].bincount().tolist() == [40, 20]
    train, validation = split(images([200, 100]), 299)
    assert len(train) + len(validation) == 299


@pytest.mark.parametrize(("counts", "count"), [([1, 1], None), ([100, 100], 3), ([50, 50], 101)])
def test_too_few_images(counts: list[int], count: int | None) -> None:
    with pytest.raises(DataError):
        split(images(counts), count)


def test_sample_is_fixed_and_within() -> None:
    train, _ = split(images([200, 100]))
    sample = train.sample(10)
    assert torch.equal(sample.index, train.sample(10).index)
    assert set(sample.index.tolist()) <= set(train.index.tolist())
    assert len(train.sample(10_000)) == len(train)


def test_shared_images_are_moved_once() -> None:
    train, validation = split(images([200, 100]))
    moved = to_device((train, validation, train.sample(5)), torch.device("meta"))
    assert len({id(subset.images) for subset in moved}) == 1
    assert [len(subset) for subset in moved] == [270, 30, 5]


def test_each_class_stands_on_both_sides() -> None:
    """Also where a tenth would be less than an image of each class, or of a rare one."""
    for counts in ([300, 300, 2], [2] * 30, [5] * 10, [1000, 2, 3]):
        train, validation = split(images(counts))
        trains, validates = (s.images.labels[s.index].bincount() for s in (train, validation))
        assert trains.min() >= 1 and validates.min() >= 1
        assert (trains + validates).tolist() == counts


@pytest.mark.parametrize("count", [6, 7, 60, 100, 601])
def test_fewer_images_keep_two_of_a_rare_class(count: int) -> None:
    train, validation = split(images([300, 300, 2]), count)
    assert len(train) + len(validation) == count
    for subset in (train, validation):
        assert subset.images.labels[subset.index].bincount(minlength=3)[2] == 1


@given(st.lists(st.integers(2, 40), min_size=2, max_size=8), st.data())
def test_any_split_has_each_image_once_and_each_class_twice(counts, data) -> None:
    count = data.draw(st.integers(2 * len(counts), sum(counts)))
    train, validation = split(images(counts), count)
    both = torch.cat([train.index, validation.index]).tolist()
    assert len(both) == len(set(both)) == count
    for subset in (train, validation):
        assert subset.images.labels[subset.index].unique().tolist() == list(range(len(counts)))


def test_a_class_of_one_image_is_named() -> None:
    with pytest.raises(DataError, match="class lynx has one training image only"):
        split(images([9, 9, 1]), None, ("cat", "dog", "lynx"))
    with pytest.raises(DataError, match="classes cat, lynx each have one training image only"):
        split(images([1, 9, 1]), 5, ("cat", "dog", "lynx"))
    with pytest.raises(DataError, match=r"5 training images of 3 classes are too few: .* least 6"):
        split(images([9, 9, 9]), 5)


def test_images_drawn_have_each_class() -> None:
    some = images([300, 300, 1])
    assert some.labels[draw(some, 3)].tolist() == [0, 1, 2]
    assert some.labels[draw(some, 60)].bincount().tolist()[2] == 1
    assert draw(some, None).tolist() == list(range(601))
    with pytest.raises(DataError, match="2 training images of 3 classes are too few"):
        draw(some, 2)

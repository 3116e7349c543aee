import pytest
import torch

from models.images import DataError, Images, split, to_device


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

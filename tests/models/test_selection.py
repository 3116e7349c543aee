import torch

from models.dataset import Dataset, load
from models.images import split
from models.selection import select, subsets


def test_validation_is_held_out_of_the_training_images(digits: Dataset) -> None:
    train, validation = subsets(digits, select(digits, 500, "validation"))
    expected = split(load(digits, "train"), 500)
    assert torch.equal(train.index, expected[0].index)
    assert torch.equal(validation.index, expected[1].index)
    assert len(train) + len(validation) == 500


def test_the_transcript_trains_on_all_and_validates_on_the_test_images(digits: Dataset) -> None:
    train, test = subsets(digits, select(digits, None, "test"))
    assert train.index.tolist() == list(range(digits.train_count))
    assert test.index.tolist() == list(range(digits.test_count))
    assert torch.equal(test.images.pixels, load(digits, "test").pixels)

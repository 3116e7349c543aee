from pathlib import Path

import pytest
import torch
from PIL import Image

from models.data.dataset import Dataset, load
from models.data.images import split
from models.data.selection import select, subsets, trained_on
from tests.models.image_folders import read, write_images


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


@pytest.mark.parametrize("count", [None, 500])
def test_means_are_those_of_the_images_that_train(digits: Dataset, count: int | None) -> None:
    selection = select(digits, count, "validation")
    found = trained_on(digits, selection)
    pixels = load(digits, "train").pixels[torch.from_numpy(selection.train)].double() / 255
    assert found.mean == pytest.approx([pixels.mean().item()], rel=1e-9)
    assert found.deviation == pytest.approx([pixels.std(correction=0).item()], rel=1e-9)
    assert found.mean != digits.mean


def test_the_transcript_s_means_are_those_of_all_training_images(digits: Dataset) -> None:
    assert trained_on(digits, select(digits, None, "test")) == digits


def test_validation_images_do_not_show_in_the_means(tmp_path: Path) -> None:
    """Whatever stands in them."""
    root = write_images(tmp_path, {"cat": 20, "dog": 20})
    dataset = read(root)
    selection = select(dataset, None, "validation")
    names = sorted((root / "train").rglob("*.png"))
    for row in selection.validation:
        Image.new("RGB", (8, 8), "white").save(names[row])
    changed = read(root)
    assert changed.mean != dataset.mean
    again = select(changed, None, "validation")
    assert again.validation.tolist() == selection.validation.tolist()
    assert trained_on(changed, again).mean == trained_on(dataset, selection).mean


def test_classes_of_few_images_are_named(tmp_path: Path) -> None:
    dataset = read(write_images(tmp_path, {"cat": 30, "dog": 30, "lynx": 2, "bear": 8}))
    found = trained_on(dataset, select(dataset, None, "validation"))
    assert found.notices == (
        "few images of a class: lynx (1 train, 1 validate), bear (7 train, 1 validate)",
    )

"""Folders of other forms: read where it is plain what is meant, else one line what to do."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from models.data.dataset import load
from models.data.images import DataError
from models.data.selection import select, subsets
from tests.models.image_folders import read, write_images

TWO = {"cat": 6, "dog": 4}


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as refused:
        read(root)
    said = str(refused.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize(
    "names", [("Train", "Test"), ("TRAIN", "TEST"), ("training", "testing"), ("Training", "test")]
)
def test_parts_by_other_names(tmp_path: Path, names: tuple[str, str]) -> None:
    found = read(write_images(tmp_path, TWO, parts=names))
    assert (found.train_count, found.test_count, found.notices) == (10, 10, ())


def test_two_folders_for_one_part(tmp_path: Path) -> None:
    said = refusal(write_images(tmp_path, TWO, parts=("train", "Train", "test")))
    assert "has both Train and train: keep one of them as the train part" in said


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_a_validation_part_beside_test_validates(tmp_path: Path, name: str) -> None:
    found = read(write_images(tmp_path, TWO, parts=("train", "test", name)))
    assert found.validation_count == 10
    assert found.notices == (f"the 10 images of {name} validate, and nothing is held out of train",)
    train, validation = subsets(found, select(found, None, "validation"))
    assert (len(train), len(validation)) == (10, 10)
    with Image.open(tmp_path / name / "dog/0.png") as image:
        assert validation.images.pixels[6, 0, 3, 5] == image.getpixel((5, 3))[0]
    assert validation.images.labels.tolist() == [0] * 6 + [1] * 4
    assert len(subsets(found, select(found, 7, "validation"))[0]) == 7
    _, test = subsets(found, select(found, None, "test"))
    assert (test.images.pixels == load(found, "test").pixels).all()


def test_the_fingerprint_sees_the_validation_part(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO, parts=("train", "test", "val"))
    before = read(root).fingerprint
    (root / "val/cat/0.png").unlink()
    assert read(root).fingerprint != before


def test_further_folders_are_named(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO, parts=("train", "test", "extra", ".hidden", "unlabelled"))
    assert read(root).notices == ("not read: 2 folders beside test and train: extra, unlabelled",)


def test_train_and_val_without_test(tmp_path: Path) -> None:
    said = refusal(write_images(tmp_path, TWO, parts=("train", "val")))
    assert "has no test part with class folders, only train and val: rename val to test" in said


def test_train_alone(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO, parts=("train",))
    assert "has no test part" in refusal(root)
    (root / "test.zip").write_bytes(b"PK")
    assert "has no test part with class folders: unpack test.zip there" in refusal(root)


def test_class_folders_without_parts(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO) / "train"
    said = refusal(shutil.move(root, tmp_path / "flowers"))
    assert "has folders of images (cat, dog) but no train part and no test part: make them" in said


def test_one_part_is_named(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO)
    assert f"give the folder above, --data-dir {tmp_path}" in refusal(root / "train")


def test_one_folder_too_high(tmp_path: Path) -> None:
    write_images(tmp_path / "up/pets", TWO)
    assert f"give --data-dir {tmp_path}/up/pets" in refusal(tmp_path / "up")


def test_parts_within_classes(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        write_images(tmp_path / name, {"a": 1})
    assert "has parts within its folders (cat, dog), not the other way" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["pets.zip", "pets.tar.gz", "pets.TAR", "pets.7z"])
def test_an_archive(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    assert "is an archive: unpack it" in refusal(tmp_path / name)
    assert f"has archives: unpack {name} there" in refusal(tmp_path)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name,class")
    assert "labels.csv is a file, no folder" in refusal(tmp_path / "labels.csv")


@pytest.mark.parametrize("inner", ["", "images"])
def test_a_flat_folder_with_a_table(tmp_path: Path, inner: str) -> None:
    (tmp_path / inner).mkdir(exist_ok=True)
    for number in range(3):
        Image.new("RGB", (4, 4)).save(tmp_path / inner / f"{number}.jpg")
    (tmp_path / "labels.csv").write_text("name,class")
    said = refusal(tmp_path)
    assert "has 3 images in no class folder (labels.csv is not read; move each image to" in said


def test_flat_parts_with_a_table(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO)
    shutil.rmtree(root / "train/dog")
    for path in (root / "train/cat").iterdir():
        path.rename(root / "train" / path.name)
    (root / "train/cat").rmdir()
    (root / "train.csv").write_text("name,class")
    said = refusal(root)
    assert (
        "no train part with class folders: train has 6 images in no class folder (train.csv is"
        in said
    )


def test_classes_that_differ_say_where(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO, parts=("Train", "test", "val"))
    shutil.rmtree(root / "val/dog")
    assert "class dog stands in only one of train and validation" in refusal(root)
    shutil.rmtree(root / "Train/cat")
    (root / "Train/bee").mkdir()
    assert "class bee stands in only one of train and test" in refusal(root)
    assert "Train has it, test has not" in refusal(root)


def test_classes_that_differ_in_capitals_or_spaces_say_so(tmp_path: Path) -> None:
    root = write_images(tmp_path, TWO)
    (root / "test/cat").rename(root / "test/Cat ")
    assert "test has it, train has not, but 'cat': name both alike" in refusal(root)

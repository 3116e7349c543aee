"""What is read of a class folder, what is not, and that this is said."""

import os
from pathlib import Path

import pytest
from PIL import Image

from models.data.images import DataError
from tests.models.image_folders import read, write_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_images(tmp_path / "pets", {"cat": 3, "dog": 2})


def skipped(folder: Path) -> str:
    """The notice of what is skipped; there may be only one."""
    (notice,) = (n for n in read(folder).notices if n.startswith("skipped: "))
    return notice.removeprefix("skipped: ")


@pytest.mark.parametrize(
    "left",
    [
        *("cat/._0.png", "cat/.ipynb_checkpoints/0-checkpoint.png", "cat/.thumbnails/0.png"),
        *("cat/__MACOSX/0.png", "cat/@eaDir/0.png", "cat/a/.b/0.png", "cat/Thumbs.db"),
        *("cat/desktop.ini", ".ipynb_checkpoints/0.png", "__MACOSX/cat/0.png", ".DS_Store"),
    ],
)
def test_what_programs_leave_behind_is_no_image(folder: Path, left: str) -> None:
    path = folder / "train" / left
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path, "PNG")
    assert read(folder).train_count == 5
    assert skipped(folder) == "1 hidden file or folder"


def test_a_hidden_folder_may_hold_the_data(tmp_path: Path) -> None:
    assert read(write_images(tmp_path / ".cache/pets", {"cat": 3, "dog": 2})).train_count == 5


def test_what_is_skipped_is_counted_by_kind(folder: Path) -> None:
    for name in (".hidden", "notes.txt", "more.TXT", "labels.json", "README"):
        (folder / "train/cat" / name).write_text("text")
    for name in ("a.heic", "b.HEIC", "scan.dcm", "volume.nii.gz", "array.npy"):
        (folder / "test/dog" / name).write_text("binary")
    (folder / "train/list.csv").write_text("text")
    Image.new("RGB", (8, 8)).save(folder / "test/stray.png")
    (folder / "train/cat/gone").symlink_to("nowhere")
    assert skipped(folder) == (
        "1 hidden file or folder, 2 files beside the class folders, 4 files that are no images "
        "(.json, .txt, no ending), "
        "1 link to nowhere or to a folder already read, 5 files of formats not read "
        "(.dcm: export slices as PNG, 8 or 16 bits; .heic: convert to JPEG or PNG; .nii.gz: "
        "export slices as PNG, 8 or 16 bits; .npy: save each image as PNG)"
    )


def test_a_class_of_formats_that_are_not_read_says_what_to_do(folder: Path) -> None:
    for path in (folder / "test/dog").iterdir():
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(
        DataError,
        match=r"test/dog has no image that is read; it has 2 files .*heic: convert to JPEG or PNG",
    ):
        read(folder)


def test_a_plain_folder_has_no_notice(folder: Path) -> None:
    assert read(folder).notices == ()


def test_linked_files_folders_and_classes_are_read(folder: Path, tmp_path: Path) -> None:
    elsewhere = write_images(tmp_path / "more", {"cow": 4}, (8, 9))
    for part in ("train", "test"):
        (folder / part / "cow").symlink_to(elsewhere / part / "cow")
    (elsewhere / "train/cow/odd.png").symlink_to(elsewhere / "test/cow/0.png")
    inner = tmp_path / "inner"
    inner.mkdir()
    Image.new("RGB", (8, 8), "red").save(inner / "red.png")
    (folder / "train/cat/linked").symlink_to(inner)
    found = read(folder)
    assert (found.classes, found.train_count, found.test_count) == (("cat", "cow", "dog"), 11, 9)


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "train/cat/again").symlink_to(folder / "train/cat")
    (folder / "train/cat/self").symlink_to("self")
    found = read(folder)
    assert found.train_count == 5
    assert skipped(folder) == "2 links to nowhere or to a folder already read"


def test_sub_folders_are_read_and_said(folder: Path) -> None:
    for name in ("augmented", "augmented/deep"):
        (folder / "train/dog" / name).mkdir()
        Image.new("RGB", (8, 8), (len(name), 0, 0)).save(folder / "train/dog" / name / "0.png")
    found = read(folder)
    assert found.train_count == 7
    assert found.notices == (
        "2 images stand in sub-folders of class folders and are read too: dog/augmented",
    )


def test_pipes_are_no_images(folder: Path) -> None:
    os.mkfifo(folder / "train/cat/pipe.png")
    assert read(folder).train_count == 5
    assert skipped(folder) == "1 file that is no image (.png)"

"""The cache of decoded images follows what files hold, whatever their sizes and times say."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data import content
from models.data.dataset import load
from models.data.images import DataError
from tests.models.image_folders import read, write_images

CLASSES = ("day", "night")


@pytest.fixture(params=["at once", "later"])
def folder(request, tmp_path: Path, monkeypatch) -> Path:
    """Bright days and dark nights in files of one size and one time; what is found may be
    remembered at once in half of the tests, as it is of files that are a few seconds old."""
    if request.param == "at once":
        monkeypatch.setattr(content, "UNSURE_SECONDS", -60)
    for part in ("train", "test"):
        for brightness, name in ((200, "day"), (0, "night")):
            (tmp_path / "sky" / part / name).mkdir(parents=True)
            for number in range(4):
                path = tmp_path / "sky" / part / name / f"{number}.bmp"
                shade = brightness + number + 10 * (part == "test")
                Image.new("L", (4, 4), shade).save(path)
                os.utime(path, (1e9, 1e9))
    return tmp_path / "sky"


def exchange_folders(part: Path) -> None:
    (part / "day").rename(part / "x")
    (part / "night").rename(part / "day")
    (part / "x").rename(part / "night")


def exchange_files(part: Path) -> None:
    for path in (part / "day").iterdir():
        other = part / "night" / path.name
        path.rename(part / "x")
        other.rename(path)
        (part / "x").rename(other)


def exchange_content(part: Path) -> None:
    """The files stay, with their inodes, sizes and times."""
    for path in (part / "day").iterdir():
        other = part / "night" / path.name
        day, night = path.read_bytes(), other.read_bytes()
        for at, data in ((path, night), (other, day)):
            at.write_bytes(data)
            os.utime(at, (1e9, 1e9))


def extract_anew(part: Path) -> None:
    """As cp -p or an archive does."""
    shutil.copytree(part, part.parent / "y")
    shutil.rmtree(part)
    (part.parent / "y").rename(part)
    exchange_folders(part)


def synchronise(part: Path) -> None:
    """As rsync -a does: it replaces files by others of the same times."""
    exchanged = part.parent / "exchanged"
    shutil.copytree(part, exchanged)
    exchange_folders(exchanged)
    for path in sorted(exchanged.rglob("*.bmp")):
        path.replace(part / path.relative_to(exchanged))
    shutil.rmtree(exchanged)


EXCHANGES = [exchange_folders, exchange_files, exchange_content, extract_anew, synchronise]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_classes_that_changed_places(folder: Path, exchange: Callable[[Path], None]) -> None:
    before = read(folder)
    assert brightness(before) == [200, 0]
    for part in ("train", "test"):
        exchange(folder / part)
    times = {path.stat().st_mtime for path in folder.rglob("*.bmp")}
    assert times == {1e9}
    after = read(folder)
    assert brightness(after) == [0, 200]
    assert after.fingerprint != before.fingerprint


def brightness(found) -> list[int]:
    train = load(found, "train")
    return [int(train.pixels[train.labels == label].min()) for label in (0, 1)]


def test_what_did_not_change_is_read_once(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(content, "UNSURE_SECONDS", -60)
    read(folder)
    monkeypatch.setattr(content, "_digest", lambda path: pytest.fail(f"{path} is read again"))
    read(folder)


def test_files_just_written_are_read_again(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(content, "UNSURE_SECONDS", 3)
    read(folder)
    seen = []
    plain = content._digest
    monkeypatch.setattr(content, "_digest", lambda path: seen.append(path) or plain(path))
    read(folder)
    assert len(seen) == 16
    later = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: later)
    read(folder)  # remembered from now on
    seen.clear()
    read(folder)
    assert seen == []


def test_data_that_moved_are_not_decoded_again(folder: Path, tmp_path: Path) -> None:
    before = read(folder)
    after = read(folder.rename(tmp_path / "elsewhere"))
    assert (after.key, after.fingerprint) == (before.key, before.fingerprint)
    assert after.name == "elsewhere"


def test_copies_are_counted(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 4, "dog": 4}, parts=("train", "test", "val"))
    assert len(read(root).notices) == 1  # of the validation part
    shutil.copy(root / "train/cat/0.png", root / "test/cat/other.png")
    shutil.copy(root / "train/cat/1.png", root / "test/cat/third.png")
    shutil.copy(root / "val/cat/1.png", root / "test/cat/fourth.png")
    shutil.copy(root / "train/cat/2.png", root / "train/dog/wrong.png")
    shutil.copy(root / "train/dog/3.png", root / "train/dog/again.png")
    assert read(root).notices[1:] == (
        "2 images of test stand in train too, byte for byte (test/cat/other.png is "
        "train/cat/0.png): the accuracy on test says too much",
        "1 image of test stands in validation too, byte for byte (test/cat/fourth.png is "
        "val/cat/1.png): the accuracy on test says too much",
        "1 image of train stands in more than one class (train/cat/2.png is train/dog/wrong.png, "
        "byte for byte): take it out of all but one",
        "1 image of train is a copy of another of the same class, byte for byte "
        "(train/dog/again.png is train/dog/3.png)",
    )


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    """A class named in Latin-1 in train and in UTF-8 in test, another composed otherwise."""
    root = tmp_path / "names"
    rng = np.random.default_rng(0)
    for part, names in (
        (b"train", (b"caf\xe9", "th\u00e9".encode())),
        (b"test", ("caf\u00e9".encode(), "the\u0301".encode())),
    ):
        for name in names:
            folder = root / os.fsdecode(part) / os.fsdecode(name)
            folder.mkdir(parents=True)
            for number in range(4):
                pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / os.fsdecode(b"%d\xe9.png" % number))
    found = read(root)
    assert found.classes == ("café", "thé")
    assert found.notices == (
        "1 class is named in bytes that are no UTF-8, taken for Latin-1: café",
    )
    (root / "train/caf\u00e9").mkdir()
    with pytest.raises(DataError, match=r"same name, café.*'caf\\xe9'"):
        read(root)


def test_an_error_that_names_such_a_file_can_be_printed(tmp_path: Path) -> None:
    root = write_images(tmp_path / "a", {"cat": 1, "dog": 1})
    (root / "train/cat" / os.fsdecode(b"caf\xe9\n.png")).write_text("no image")
    with pytest.raises(DataError) as refused:
        read(root)
    said = str(refused.value)
    assert "train/cat/café_.png cannot be read" in said
    assert said.encode() and len(said.splitlines()) == 1


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not here")
def test_rsync(folder: Path, tmp_path: Path) -> None:
    read(folder)
    shutil.copytree(folder, tmp_path / "new")
    for part in ("train", "test"):
        exchange_folders(tmp_path / "new" / part)
    subprocess.run(["rsync", "-a", "-c", f"{tmp_path}/new/", f"{folder}/"], check=True)
    assert brightness(read(folder)) == [0, 200]

"""Folders of images through the commands: what is said, what goes on, what is refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.run import main
from tests.models.image_folders import write_images
from tests.search.cli.test_bad_input import refused

FAST = ["--design", "ann-1", "--epochs", "1", "--precision", "fp32"]


def debugged(root: Path, capsys, *words: str) -> list[str]:
    """The lines that `run.py debug` prints."""
    assert main(["debug", "--data-dir", str(root), *FAST, *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_debug_gives_the_notices_of_a_search(tmp_path: Path, capsys) -> None:
    root = write_images(tmp_path / "pets", {"cat": 20, "dog": 20})
    for width in range(10, 20):
        Image.new("RGB", (width, 9)).save(root / f"train/cat/wide{width}.png")
    (root / "train/cat/notes.txt").write_text("text")
    said = debugged(root, capsys)
    notices = [line for line in said if line.startswith("Notice: ")]
    assert [line.split()[1] for line in notices] == ["skipped:", "images"]
    assert "--image-size N" in notices[1]
    assert "45 images to train on, 5 to validate" in said[3]


def test_names_that_look_like_markup(tmp_path: Path, capsys) -> None:
    root = write_images(tmp_path / "[bold]", {"[red]": 12, "a [b": 12})
    shutil.copy(root / "train/[red]/0.png", root / "test/[red]/own.png")
    shutil.move(root, tmp_path / "[")
    said = "\n".join(debugged(tmp_path / "[", capsys))
    assert "(test/[red]/own.png is train/[red]/0.png)" in said


def test_names_that_are_no_utf8(tmp_path: Path, capsys) -> None:
    """Of classes, and of the folder itself."""
    root = write_images(tmp_path / os.fsdecode(b"d\xe9j\xe0"), {"cat": 12, "dog": 12})
    for part in ("train", "test"):
        (root / part / "dog").rename(root / part / os.fsdecode(b"caf\xe9"))
    said = debugged(root, capsys)
    assert any(line.endswith("taken for Latin-1: café") for line in said)
    assert any(" déjà, 21 images to train on, 3 to validate" in line for line in said)


def test_a_terminal_without_the_letters_of_a_name(tmp_path: Path) -> None:
    root = write_images(tmp_path / "データ", {"cat": 12, "dog": 12})
    words = [sys.executable, "-m", "search.run", "debug", "--data-dir", str(root), *FAST]
    found = subprocess.run(
        words, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert r"\u30c7\u30fc\u30bf, 21 images to train on, 3 to validate" in found.stdout


def test_white_on_transparent_is_seen_by_an_option(tmp_path: Path, capsys) -> None:
    """The classes differ by their ink's place alone."""
    for part in ("train", "test"):
        for place, name in ((0, "left"), (4, "right")):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(30):
                ink = np.zeros((8, 8, 4), np.uint8)
                ink[:, place : place + 4] = (255, 255, 255, 100 + number)
                Image.fromarray(ink).save(tmp_path / part / name / f"{number}.png")
    said = debugged(tmp_path, capsys)
    assert any("on which 120 show nothing at all: try --alpha black" in line for line in said)
    said = debugged(tmp_path, capsys, "--alpha", "black", "--epochs", "8")
    assert "validation 100.0%" in said[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--alpha", "black", "--dataset", "digits"], "--alpha is for the images of --data-dir"),
        (["--alpha", "pink"], "--alpha"),
    ],
)
def test_options_that_do_not_fit(words: list[str], said: str, capsys) -> None:
    assert said in refused(words, capsys)


def test_a_class_of_one_image_is_named(tmp_path: Path, capsys) -> None:
    root = write_images(tmp_path, {"cat": 12, "lynx": 1})
    said = refused(["debug", "--data-dir", str(root)], capsys)
    assert "class lynx has one training image only: at least two are needed" in said


def test_what_cannot_be_read_is_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / "pets.zip").write_bytes(b"PK")
    for command in ([], ["debug"]):
        said = refused([*command, "--data-dir", str(tmp_path / "pets.zip")], capsys)
        assert "pets.zip is an archive: unpack it" in said

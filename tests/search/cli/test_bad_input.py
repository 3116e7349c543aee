"""Each mistake of a user: one line, status 2, no traceback, nothing written."""

from pathlib import Path

import pytest
from PIL import Image
from torchvision.datasets import CIFAR10

from search.run import main

DIGITS = ["--dataset", "digits"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True)
            for number in range(30):
                Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / f"{number}.png")
    return tmp_path / "images"


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says to stderr; it must be one line, with status 2."""
    try:
        status: object = main(words)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--depth", "3"], "--depth"),
        (["stray"], "stray"),
        (["--trials", "many"], "--trials cannot be 'many'"),
        (["--dataset", "mnist"], "invalid choice 'mnist' for argument '--dataset'"),
        (["--budget", "soon", *DIGITS], "--budget 'soon' cannot be read: give 30s, 30min"),
        (["--budget", "$5", *DIGITS], "needs --price"),
        (["--trials", "0", *DIGITS], "--trials 0: at least 1"),
        (["--max-epochs", "-1", *DIGITS], "--max-epochs -1: at least 1"),
        (["--budget", *DIGITS], "--budget needs a limit"),
        (["--seed", "-1", *DIGITS], "--seed -1: 0 to 2147483647"),
        (["debug", "--seed", "-1", *DIGITS], "--seed -1: 0 to 2147483647"),
        (["--image-size", "9", *DIGITS], "--image-size is for the images of --data-dir"),
        (["--price", "nan", *DIGITS], "--price nan: 0 or more"),
        (["--price", "-1", *DIGITS], "--price -1.0: 0 or more"),
        (["--train-images", "7", *DIGITS], "7 training images of 10 classes are too few"),
        (["--train-images", "9999", *DIGITS], "more than the 1437 training images"),
        (["--data-dir", "/no/such/folder"], "/no/such/folder does not exist"),
        (["--address", "127.0.0.1:1", *DIGITS], "--address 127.0.0.1:1: nothing answers there"),
        (["debug", "--design", "resnet", *DIGITS], "'resnet': one of ann-1, ann-3"),
        (["debug", "--epochs", "0", *DIGITS], "--epochs 0: at least 1"),
        (["debug", "--trials", "1"], "--trials"),
        (["transcript", "vgg", *DIGITS], "unknown design 'vgg': one of ann-1"),
    ],
)
def test_options(words: list[str], said: str, capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in refused(words, capsys)
    assert list(tmp_path.iterdir()) == []


def test_folder_without_a_test_part(images: Path, capsys) -> None:
    for path in sorted((images / "test").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert "has no test part" in refused(["--data-dir", str(images)], capsys)


def test_unreadable_image_is_named(images: Path, capsys) -> None:
    (images / "train/dog/3.png").write_text("text")
    said = refused(["debug", "--data-dir", str(images)], capsys)
    assert "train/dog/3.png cannot be read" in said


def test_download_that_fails(capsys, monkeypatch) -> None:
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar.tar.gz")
    said = refused([], capsys)
    assert "--data-dir" in said and "--dataset digits" in said


def test_cache_that_cannot_be_written(capsys, monkeypatch) -> None:
    monkeypatch.setenv("KNEEPOINT_CACHE", "/dev/null/cache")
    said = refused(["debug", *DIGITS], capsys)
    assert "/dev/null/cache cannot be written" in said and "set KNEEPOINT_CACHE" in said


def test_help_says_units_and_exits_0(capsys) -> None:
    for words in (["--help"], ["debug", "--help"], ["transcript", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 0
        assert "--data-dir" in capsys.readouterr().out


def test_debug_trains_without_ray(capsys) -> None:
    words = ["debug", *DIGITS, "--design", "ann-1", "--epochs", "2", "--precision", "fp32"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "650 parameters" in lines[0]
    assert [line[:9] for line in lines[1:]] == ["epoch   1", "epoch   2"]

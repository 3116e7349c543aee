"""predict.py: the winner's classes of image files, as in the scoring on the test images."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis import predict
from models.data.dataset import Dataset, load


@pytest.fixture(scope="module")
def test_images(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits' test images as files, a folder for each class."""
    folder = tmp_path_factory.mktemp("files") / "test"
    images = load(digits, "test")
    for number, (pixels, label) in enumerate(zip(images.pixels, images.labels, strict=True)):
        (folder / str(int(label))).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[0].numpy()).save(folder / str(int(label)) / f"{number:03}.png")
    return folder


def answer(
    run: Path, capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int | str | None, str, str]:
    """Exit status, standard output and error."""
    status: int | str | None
    try:
        status = predict.main([str(run), *map(str, words)])
    except SystemExit as stop:
        status = stop.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_classes_has_the_accuracy_of_the_scoring(
    digits_run: Path, test_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    status, out, _ = answer(digits_run, capsys, test_images, "--csv", table)
    metrics = json.loads((digits_run / "winner/metrics.json").read_text())
    found = rows(table)
    right = sum(row["class"] == row["folder_class"] for row in found)
    assert status == 0 and len(found) == metrics["images"] == 360
    assert right / len(found) == metrics["accuracy"]
    assert out.splitlines() == [
        f"360 images in {table}",
        f"{right} images of 360 in folders of classes are taken for what they are: accuracy "
        f"{metrics['accuracy']:.4f}",
    ]
    confusion = np.zeros((10, 10), int)
    for row in found:
        confusion[int(row["folder_class"]), int(row["class"])] += 1
        each = [float(row[f"p_{digit}"]) for digit in range(10)]
        assert sum(each) == pytest.approx(1, abs=1e-5)
        assert int(np.argmax(each)) == int(row["class"]) and max(each) == float(row["probability"])
    assert confusion.tolist() == metrics["confusion"]


def test_single_images_are_printed_with_their_most_probable_classes(
    digits_run: Path, test_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = min((test_images / "3").iterdir())
    status, out, _ = answer(digits_run, capsys, image, image, "--top", 2)
    assert status == 0
    first, second = out.splitlines()  # no accuracy: nothing tells their class
    assert first == second and first.startswith(f"{image}"[:60])
    told = first.split("  ")[1:]
    assert len(told) == 2 and told[0].startswith("3 ") and all(each.endswith("%") for each in told)


def test_larger_images_in_colour_are_brought_to_the_form_of_the_network(
    digits_run: Path, test_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = min((test_images / "0").iterdir())
    with Image.open(image) as small:
        small.convert("RGB").resize((80, 80), Image.Resampling.NEAREST).save(tmp_path / "0.png")
    _, out, _ = answer(digits_run, capsys, image, tmp_path / "0.png", "--top", 1)
    assert [line.split()[1] for line in out.splitlines()] == ["0", "0"], out


def test_a_folder_named_after_a_class_tells_it(
    digits_run: Path, test_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(list((test_images / "7").iterdir()))
    _, out, _ = answer(digits_run, capsys, test_images / "7", min((test_images / "1").iterdir()))
    last = out.splitlines()[-1]
    assert f"of {count} whose folder tells the class are taken for what they are" in last


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "give images, or folders of images"),
        (["none.png"], "there is no image none.png"),
        (["empty"], "folder empty has no image"),
        (["text.png"], "image text.png cannot be read"),
        (["text.png", "--top", "0"], "--top 0: at least 1"),
        (["image.png", "--csv", "nowhere/table.csv"], "nowhere/table.csv cannot be written"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    words: list[str],
    expected: str,
    digits_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("text.png").write_text("no image")
    Image.new("RGB", (8, 8)).save("image.png")
    status, _, error = answer(digits_run, capsys, *words)
    assert status == 2 and expected in error and error.count("\n") == 1


def test_a_run_without_a_winner_is_refused(
    make_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run()
    run.trial(0, [0.5])
    status, _, error = answer(run.folder, capsys, tmp_path)
    assert status == 2 and "has no winner yet" in error and error.count("\n") == 1
    status, _, error = answer(tmp_path / "none", capsys, tmp_path)
    assert status == 2 and error.count("\n") == 1

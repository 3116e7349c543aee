import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10

from models.data import dataset, image_decoding
from models.data.dataset import Source, load, prepare
from models.data.images import DataError
from tests.models.image_folders import write_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_images(tmp_path / "pets", {"cat": 3, "dog": 2})


def source(folder: Path, size: int | None = None) -> Source:
    return Source(data_dir=str(folder), image_size=size)


def test_digits_are_scaled_and_split() -> None:
    digits = prepare(Source("digits"))
    assert (digits.train_count, digits.test_count, digits.shape) == (1437, 360, (1, 8, 8))
    pixels = load(digits, "train").pixels
    assert pixels.min() == 0 and pixels.max() == 255
    assert digits.mean[0] == pytest.approx(pixels.float().mean().item() / 255, rel=1e-5)
    assert digits.deviation[0] == pytest.approx(
        pixels.float().std(correction=0).item() / 255, rel=1e-5
    )


def test_folder_keeps_pixels_and_classes(folder: Path) -> None:
    found = prepare(source(folder))
    assert (found.classes, found.shape, found.notices) == (("cat", "dog"), (3, 8, 8), ())
    train = load(found, "train")
    assert train.labels.tolist() == [0, 0, 0, 1, 1]
    with Image.open(folder / "train/dog/1.png") as image:
        assert np.array_equal(train.pixels[4].numpy(), np.asarray(image).transpose(2, 0, 1))


def test_decoded_once_and_again_after_a_change(folder: Path, monkeypatch) -> None:
    Image.new("RGB", (8, 8), "teal").save(folder / "train/cat/own.png")  # decoded by no other test
    decoded = []
    plain = image_decoding.decode
    monkeypatch.setattr(image_decoding, "decode", lambda *words: decoded.append(1) or plain(*words))
    first = prepare(source(folder))
    assert prepare(source(folder)) == first
    assert len(decoded) == 1
    Image.new("RGB", (8, 8)).save(folder / "train/cat/new.png")
    assert prepare(source(folder)).fingerprint != first.fingerprint
    assert len(decoded) == 2


def test_image_size_resizes_all(folder: Path) -> None:
    assert prepare(source(folder, 5)).shape == (3, 5, 5)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_other_modes_become_rgb(folder: Path, mode: str) -> None:
    path = folder / "train/cat" / ("x.tif" if mode in ("CMYK", "LA") else "x.png")
    Image.new("L", (8, 8), 255).convert(mode).save(path)
    train = load(prepare(source(folder)), "train")
    assert train.pixels[3].float().mean() > 250


def test_broken_link_is_named(folder: Path) -> None:
    (folder / "train/cat/gone.png").symlink_to("nowhere.png")
    with pytest.raises(DataError, match=r"gone\.png cannot be read"):
        prepare(source(folder))


def remove_test_part(folder: Path) -> None:
    for path in sorted((folder / "test").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folder / "test").rmdir()


def keep_one_class(folder: Path) -> None:
    for part in ("train", "test"):
        for path in (folder / part / "dog").iterdir():
            path.unlink()
        (folder / part / "dog").rmdir()


def test_what_is_wrong_with_a_folder_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for bad, said in (
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path / "empty", "is empty"),
    ):
        with pytest.raises(DataError, match=said):
            prepare(source(bad))
    (folder / "train/cat/0.png").write_bytes(b"no image at all")
    with pytest.raises(DataError, match=r"train/cat/0\.png cannot be read"):
        prepare(source(folder))
    whole = (folder / "train/cat/1.png").read_bytes()
    (folder / "train/cat/0.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"train/cat/0\.png cannot be read"):
        prepare(source(folder))


@pytest.mark.parametrize(
    ("damage", "said"),
    [(remove_test_part, "has no test part"), (keep_one_class, "has one class only")],
)
def test_missing_parts_of_a_folder(folder: Path, damage, said: str) -> None:
    damage(folder)
    with pytest.raises(DataError, match=said):
        prepare(source(folder))


def test_classes_of_both_parts_must_agree(folder: Path) -> None:
    (folder / "test" / "cow").mkdir()
    with pytest.raises(DataError, match="class cow stands in only one of train and test"):
        prepare(source(folder))


def test_unreachable_download_says_which_options_help(monkeypatch) -> None:
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar.tar.gz")
    with pytest.raises(DataError, match=r"cannot be downloaded .*--data-dir DIR.*--dataset digits"):
        prepare(Source("cifar10"))


def test_cifar_as_torchvision_unpacks_it(tmp_path: Path, monkeypatch) -> None:
    """An archive in CIFAR-10's own format, three images a batch, found where it was put."""
    monkeypatch.setenv("KNEEPOINT_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    inside = tmp_path / CIFAR10.base_folder
    inside.mkdir()

    def add(name: str, content: dict) -> list[str]:
        (inside / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((inside / name).read_bytes()).hexdigest()]

    def batch(name: str) -> list[str]:
        pixels = rng.integers(0, 256, (3, 3072), dtype=np.uint8)
        return add(name, {"data": pixels, "labels": [0, 1, 1]})

    monkeypatch.setattr(CIFAR10, "train_list", [batch(f"data_batch_{n}") for n in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [batch("test_batch")])
    names = add("batches.meta", {"label_names": ["plane", "car"]})
    meta = {"filename": names[0], "key": "label_names", "md5": names[1]}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    (tmp_path / "downloads").mkdir()
    archive = tmp_path / "downloads" / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as file:
        file.add(inside, CIFAR10.base_folder)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())

    found = dataset.prepare(Source("cifar10"))
    assert (found.train_count, found.test_count, found.classes) == (15, 3, ("plane", "car"))
    content = pickle.loads((inside / "test_batch").read_bytes())
    test = dataset.load(found, "test")
    assert np.array_equal(test.pixels.numpy(), content["data"].reshape(3, 3, 32, 32))
    assert test.labels.tolist() == [0, 1, 1]

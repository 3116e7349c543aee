"""Data sets (CIFAR-10, CIFAR-100, digits, image folders), decoded once per machine and cached.

The cache holds plain arrays that are mapped into memory, so that all processes of a machine share
one copy of the pixels. A file lock keeps two processes from decoding the same images.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray

from models.data import image_decoding, image_folder
from models.data.content import Content
from models.data.folder_layout import Part
from models.data.image_decoding import Alpha
from models.data.images import SPLIT_SEED, DataError, Images
from models.data.names import readable

DATASETS = ("cifar10", "cifar100", "digits")
PARTS: tuple[Part, ...] = ("train", "test", "validation")
CACHE_VERSION = 1
FOLDER_VERSION = 3
"""Version of the decoding of image folders, part of the cache key."""


@dataclass(frozen=True)
class Source:
    """Where images come from: a data set by name, or a folder of images."""

    dataset: str = "cifar10"
    data_dir: str | None = None
    image_size: int | None = None
    """Side to which the images of a folder are resized, pixels."""
    alpha: Alpha = "white"
    """Background colour behind transparent pixels of a folder's images."""


@dataclass(frozen=True)
class Dataset:
    """Metadata of a decoded data set; the images themselves come from `load`."""

    source: Source
    name: str
    key: str
    """Name of the decoded images in a machine's cache."""
    fingerprint: str
    """SHA-256 of the decoded pixels and labels."""
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    """Channels, height, width."""
    mean: tuple[float, ...]
    """Mean of each channel, 0..1, over the training images: all of the part `train` as the data
    set is prepared, those of the selection once it is made (selection.trained_on)."""
    deviation: tuple[float, ...]
    train_count: int
    test_count: int
    notices: tuple[str, ...] = ()
    validation_count: int = 0
    """Images of the data set's own validation part; 0 without one."""
    white: int = 255
    """The value that became white in images of more than 8 bits."""


def cache_folder() -> Path:
    """Where this machine keeps decoded images: $KNEEPOINT_CACHE, else ~/.cache/kneepoint."""
    chosen = os.environ.get("KNEEPOINT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "kneepoint"


def _home() -> Path:
    """The home folder; DataError where it does not exist, for it is not created here."""
    home = os.path.expanduser("~")  # noqa: PTH111  as it was, where nobody knows
    if not Path(home).is_dir():
        raise DataError(
            f"the home folder {home} is not there: set HOME, or set KNEEPOINT_CACHE to a folder "
            "that can be written"
        )
    return Path(home)


def prepare(source: Source, say: Callable[[str], None] = lambda line: None) -> Dataset:
    """The data set of `source`, downloaded and decoded unless this machine has it in its cache.

    `say` gets a line before anything slow. DataError where the data cannot be had.
    """
    if source.data_dir is None and source.dataset not in DATASETS:
        raise DataError(f"unknown data set {source.dataset!r}: one of {', '.join(DATASETS)}")
    folders = cache_folder()
    try:
        plan = _plan(source, folders, say)
        folder = folders / "decoded" / plan.key
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not (folder / "dataset.json").exists():
                say(f"Decoding {plan.name} (once a machine, kept in {folders})")
                write(folder, source, plan.name, plan.decode())
        return _read_info(folder, source, plan)
    except OSError as error:
        raise DataError(
            f"the cache {folders} cannot be written ({error}): set KNEEPOINT_CACHE to a "
            "folder that can"
        ) from error


def load(dataset: Dataset, part: Part) -> Images:
    """The images of one part, mapped from this machine's cache; prepared first if they are missing.

    DataError where they are not the images that the run began with (fingerprint).
    """
    folder = cache_folder() / "decoded" / dataset.key
    if not (folder / "dataset.json").exists():
        found = prepare(dataset.source)
        if found.fingerprint != dataset.fingerprint:
            raise DataError(f"{dataset.name} on this machine is not what the run began with")
        folder = cache_folder() / "decoded" / found.key
    # Mode "c" (copy on write) is the one that torch takes without a copy or a warning.
    pixels = np.load(folder / f"{part}_pixels.npy", mmap_mode="c")
    labels = np.load(folder / f"{part}_labels.npy")
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels))


@dataclass(frozen=True)
class Decoded:
    """Decoded images (n, channels, height, width) uint8 and labels (n,) of each part."""

    pixels: dict[str, NDArray[np.uint8]]
    labels: dict[str, NDArray[np.int64]]
    classes: tuple[str, ...]
    notices: tuple[str, ...] = ()
    white: int = 255


@dataclass(frozen=True)
class _Plan:
    """A data set that is not decoded yet: its cache key, and the function that decodes it."""

    key: str
    """Name of its folder in the cache."""
    name: str
    """For people."""
    decode: Callable[[], Decoded]
    notices: tuple[str, ...] = ()
    """Notices from before decoding: of the layout and of files that are skipped."""


def _plan(source: Source, cache: Path, say: Callable[[str], None]) -> _Plan:
    if source.data_dir is not None:
        return _folder_plan(source, Path(source.data_dir), cache, say)
    key = f"{source.dataset}-{CACHE_VERSION}"
    if source.dataset == "digits":
        return _Plan(key, "digits", _decode_digits)
    return _Plan(key, source.dataset, lambda: _decode_cifar(source.dataset))


def _folder_plan(source: Source, folder: Path, cache: Path, say: Callable[[str], None]) -> _Plan:
    listing = image_folder.list_files(folder.expanduser().resolve())
    content = Content(listing)
    found = content.key(cache / "contents", say)
    settings = f"{FOLDER_VERSION} {source.image_size} {source.alpha} {found}"
    key = f"images-{hashlib.sha256(settings.encode()).hexdigest()[:16]}"

    def decode() -> Decoded:
        parts = listing.parts
        pixels, notices, white = image_decoding.decode(parts, source.image_size, source.alpha)
        labels: dict[str, NDArray[np.int64]] = {
            part: np.array([label for _, label in files]) for part, files in parts.items()
        }
        return Decoded(pixels, labels, listing.classes, (*notices, *content.copies()), white)

    return _Plan(key, readable(listing.root.name), decode, listing.notices)


def _decode_digits() -> Decoded:
    """scikit-learn's 1,797 digits of 8x8 pixels, 0 to 16; a fifth of them is the test part."""
    # Imported here, as below: slow to import, and not needed where images are decoded already.
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    train, test = train_test_split(
        np.arange(len(pixels)), test_size=0.2, stratify=digits.target, random_state=SPLIT_SEED
    )
    return Decoded(
        {"train": pixels[train], "test": pixels[test]},
        {"train": digits.target[train], "test": digits.target[test]},
        tuple(str(digit) for digit in range(10)),
    )


def _decode_cifar(name: str) -> Decoded:
    from torchvision.datasets import CIFAR10, CIFAR100

    torch_class = CIFAR10 if name == "cifar10" else CIFAR100
    root = cache_folder() / "downloads"
    pixels, labels = {}, {}
    try:
        for part in ("train", "test"):
            images = torch_class(str(root), train=part == "train", download=True)
            pixels[part] = np.ascontiguousarray(images.data.transpose(0, 3, 1, 2))
            labels[part] = np.array(images.targets)
    except (OSError, RuntimeError) as error:  # urllib's errors are OSErrors
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{name} cannot be downloaded ({reason}): use --data-dir DIR with images of your own, "
            f"or --dataset digits; or put {torch_class.filename} into {root}"
        ) from error
    return Decoded(pixels, labels, tuple(images.classes))


def write(folder: Path, source: Source, name: str, decoded: Decoded) -> None:
    """Writes a cache folder atomically: into a scratch folder beside it, which is then renamed."""
    content = hashlib.sha256()
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}."))
    try:
        for part in (part for part in PARTS if part in decoded.pixels):
            pixels, labels = decoded.pixels[part], decoded.labels[part].astype(np.int64)
            np.save(scratch / f"{part}_pixels.npy", pixels)
            np.save(scratch / f"{part}_labels.npy", labels)
            content.update(np.ascontiguousarray(pixels).data)
            content.update(labels.data)
        train = decoded.pixels["train"]
        mean, deviation = channel_statistics(train)
        info = Dataset(
            source=source,
            name=name,
            key=folder.name,
            fingerprint=content.hexdigest(),
            classes=decoded.classes,
            shape=train.shape[1:],
            mean=mean,
            deviation=deviation,
            train_count=len(train),
            test_count=len(decoded.pixels["test"]),
            notices=decoded.notices,
            validation_count=len(decoded.pixels.get("validation", ())),
            white=decoded.white,
        )
        (scratch / "dataset.json").write_text(json.dumps(dataclasses.asdict(info), indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def channel_statistics(
    pixels: NDArray[np.uint8], rows: NDArray[np.int64] | None = None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, 0..1, from its histogram of 256 values.

    Over all images, or those in `rows`. A thousand at a time, for bincount takes eight bytes a
    pixel.
    """
    values = np.arange(256) / 255
    rows = np.arange(len(pixels)) if rows is None else rows
    means, deviations = [], []
    for channel in range(pixels.shape[1]):
        counts = np.zeros(256)
        for start in range(0, len(rows), 1000):
            some = pixels[rows[start : start + 1000], channel]
            counts += np.bincount(some.ravel(), minlength=256)
        share = counts / counts.sum()
        means.append(float(share @ values))
        deviations.append(float(np.sqrt(share @ (values - means[-1]) ** 2)))
    return tuple(means), tuple(deviations)


def _read_info(folder: Path, source: Source, plan: _Plan) -> Dataset:
    """The cached metadata, with the folder's present name and notices, which may have changed."""
    info = from_dict(json.loads((folder / "dataset.json").read_text()) | {"source": source})
    return dataclasses.replace(info, name=plan.name, notices=(*plan.notices, *info.notices))


def from_dict(fields: dict[str, Any]) -> Dataset:
    """The Dataset of these fields, as `dataclasses.asdict` and JSON give them."""
    fields = dict(fields)
    for field in ("classes", "shape", "mean", "deviation", "notices"):
        fields[field] = tuple(fields[field])
    if isinstance(fields["source"], dict):
        fields["source"] = Source(**fields["source"])
    return Dataset(**fields)

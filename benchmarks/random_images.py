"""A data set of random images in CIFAR-10's shape: for speed their content does not matter."""

import json

import numpy as np

from models.data.dataset import Dataset, Decoded, Source, cache_folder, write
from models.data.dataset import from_dict as dataset_from_dict

KEY = "benchmark-noise-1"
TRAIN, TEST = 50_000, 1_000


def random_images() -> Dataset:
    """The data set of random images, written into this machine's cache if it is not there."""
    source = Source(KEY)
    folder = cache_folder() / "decoded" / KEY
    if not (folder / "dataset.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(0)
        counts = {"train": TRAIN, "test": TEST}
        pixels = {
            part: generator.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
            for part, count in counts.items()
        }
        labels = {part: np.arange(count) % 10 for part, count in counts.items()}
        write(folder, source, "noise", Decoded(pixels, labels, tuple("0123456789")))
    return dataset_from_dict(json.loads((folder / "dataset.json").read_text()))

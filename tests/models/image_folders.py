"""Small folders of images for tests."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from models.data.dataset import Dataset, Source, prepare


def write_images(
    root: Path,
    classes: Mapping[str, int],
    size: tuple[int, int] = (8, 8),
    parts: tuple[str, ...] = ("train", "test"),
) -> Path:
    """So many images of noise, all different, of each class in each part."""
    rng = np.random.default_rng(0)
    for part in parts:
        for name, count in classes.items():
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{number}.png")
    return root


def read(root: Path, size: int | None = None, **source) -> Dataset:
    return prepare(Source(data_dir=str(root), image_size=size, **source))

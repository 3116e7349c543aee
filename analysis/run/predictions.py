"""Class probabilities of image files, by a run's winner."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.run.run_folder import Run, RunError
from analysis.run.winner_folder import Winner
from models.data.image_decoding import Alpha, decode_files
from models.data.images import DataError

BATCH = 256
"""As in the scoring on the test images: rounding may depend on it."""


def probabilities(
    run: Run, winner: Winner, paths: Sequence[Path]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Batch by batch, which of `paths`, and the probabilities (n, classes) of their classes.

    Images are decoded as those of the run were: upright, on its background, brought to the
    network's size. RunError names one that cannot be read.
    """
    assert winner.network is not None
    for start in range(0, len(paths), BATCH):
        rows = slice(start, min(start + BATCH, len(paths)))
        pixels = torch.from_numpy(_decoded(run, winner, paths[rows]))
        with torch.inference_mode():
            logits = winner.network(winner.normalise(pixels)).double()
        yield rows, logits.softmax(1).numpy()


def _decoded(run: Run, winner: Winner, paths: Sequence[Path]) -> NDArray[np.uint8]:
    channels, height, width = winner.shape
    dataset = run.record.get("dataset") or {}
    alpha: Alpha = "black" if (dataset.get("source") or {}).get("alpha") == "black" else "white"
    try:
        pixels = decode_files(paths, (width, height), alpha, int(dataset.get("white", 255)))
    except DataError as error:
        raise RunError(str(error)) from error
    return _grey(pixels) if channels == 1 else pixels


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB (n, 3, height, width) to luma (n, 1, height, width), by ITU-R BT.601."""
    luma = np.tensordot(np.array([0.299, 0.587, 0.114]), pixels, axes=(0, 1))
    return np.round(luma).astype(np.uint8)[:, None]

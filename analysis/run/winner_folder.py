"""Reads winner/: the network that a search chose, its scores, and an image of each class."""

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.run.run_folder import RunError, read_json
from models import checkpoint
from models.design import Design, from_dict
from models.network import Network, build
from models.training.augmentation import Normaliser

SCORES = frozenset({"images", "accuracy", "classes", "macro", "weighted", "confusion"})
"""Keys that metrics.json must have, if it is there."""


@dataclass(frozen=True)
class Winner:
    """The chosen network. What a search had no time to write is None or empty."""

    trial: int
    epoch: int
    design: Design
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    network: Network | None
    """In evaluation mode, on the CPU."""
    normalise: Normaliser
    """From uint8 pixels to what the network takes."""
    metrics: dict[str, Any]
    """Scores on the test images; empty if it was not scored."""
    samples: NDArray[np.uint8] | None
    """(n, channels, height, width): one image of each class."""
    sample_labels: NDArray[np.int64] | None
    """(n,): the class of each sample."""


def read(folder: Path) -> Winner | None:
    """The winner in `folder` (a run's winner/), None where there is none.

    RunError where a file of it is damaged.
    """
    told = read_json(folder / "design.json")
    if not told:
        return None
    try:
        return _winner(folder, told)
    except RunError:
        raise
    except (
        *(OSError, KeyError, TypeError, ValueError, RuntimeError, EOFError),
        *(pickle.UnpicklingError, zipfile.BadZipFile),
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RunError(f"the winner in {folder} is damaged: {reason}") from error


def _winner(folder: Path, told: dict[str, Any]) -> Winner:
    design, shape = from_dict(told["design"]), tuple(int(side) for side in told["shape"])
    channels, height, width = shape
    classes = tuple(str(name) for name in told["classes"])
    pixels, labels = _samples(folder / "samples.npz")
    mean, deviation = tuple(told["mean"]), tuple(told["deviation"])
    return Winner(
        trial=int(told["trial"]),
        epoch=int(told["epoch"]),
        design=design,
        shape=(channels, height, width),
        classes=classes,
        network=_network(folder / "weights.pt", design, (channels, height, width), len(classes)),
        normalise=Normaliser(design.normalisation, mean, deviation, torch.device("cpu")),
        metrics=_metrics(folder / "metrics.json"),
        samples=pixels,
        sample_labels=labels,
    )


def _metrics(path: Path) -> dict[str, Any]:
    metrics = read_json(path)
    lacking = SCORES - set(metrics) if metrics else set()
    if lacking:
        raise RunError(f"{path} cannot be read: it lacks {sorted(lacking)[0]!r}")
    return metrics


def _network(
    path: Path, design: Design, shape: tuple[int, int, int], classes: int
) -> Network | None:
    if not path.exists():
        return None
    network = build(design, shape, classes)
    network.load_state_dict(checkpoint.load(path))
    return network.eval()


def _samples(path: Path) -> tuple[NDArray[np.uint8] | None, NDArray[np.int64] | None]:
    if not path.exists():
        return None, None
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["pixels"], arrays["labels"]

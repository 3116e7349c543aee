"""Feature encoding of a design: its hyperparameters as a point in the unit cube, for the kernel of
the surrogate."""

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from models.design import (
    Activation,
    Augmentation,
    Design,
    Initialisation,
    Optimizer,
    Pooling,
    Schedule,
)
from search.space import ranges

APART = math.sqrt(0.5)
"""The non-zero value in the one-hot encoding of an unordered category: then two different choices
have Euclidean distance 1."""


def coordinates(design: Design) -> NDArray[np.float64]:
    """The feature vector (d,) of a design, with the coordinates of `NAMES`, each in 0..1.

    Numbers are scaled to their range, on a logarithmic scale where they are searched on one;
    features of convolutions or dense layers that a design lacks are 0.
    """
    return np.clip(np.array(list(_values(design).values()), float), 0.0, 1.0)


def _values(design: Design) -> dict[str, float]:
    kernels = [count for block in design.kernels for count in block]
    values = {
        "blocks": len(design.kernels) / ranges.BLOCKS[1],
        "convolutions": len(kernels) / (ranges.BLOCKS[1] * ranges.CONVOLUTIONS[1]),
        "first_kernels": _log(kernels[0], ranges.KERNELS) if kernels else 0.0,
        "last_kernels": _log(kernels[-1], ranges.KERNELS) if kernels else 0.0,
        "kernels": _mean([_log(count, ranges.KERNELS) for count in kernels]),
        "kernel_size": (design.kernel_size - 3) / 2 if kernels else 0.0,
        "batch_norm": float(design.batch_norm),
        "dense_layers": len(design.dense) / ranges.DENSE_LAYERS[1],
        "dense_width": _mean([_log(width, ranges.DENSE_WIDTH) for width in design.dense]),
        "flat_dropout": design.flat_dropout / ranges.DROPOUT_RATES[1],
        "block_dropout": _mean(design.block_dropout) / ranges.DROPOUT_RATES[1],
        "dense_dropout": design.dense_dropout / ranges.DROPOUT_RATES[1],
        "learning_rate": _log(design.learning_rate, _rates(design)),
        "momentum": _part(design.momentum, ranges.MOMENTUM) if design.momentum else 0.0,
        "batch_size": _log(design.batch_size, ranges.BATCH_SIZES),
        "standardise": float(design.normalisation == "standardise"),
        "weight_decay": _log(max(design.weight_decay, 1e-9), ranges.WEIGHT_DECAY),
        "label_smoothing": design.label_smoothing / ranges.SMOOTHING[1],
        "augmentation": _AUGMENTATIONS[design.augmentation],
        "gradient_clip": _log(design.gradient_clip, ranges.GRADIENT_CLIP)
        if design.gradient_clip
        else 1.0,
        "epochs": math.log(design.epochs) / math.log(1000),
        "initialisation": _INITIALISATIONS[design.initialisation],
    }
    for field, literal in _CATEGORIES.items():
        chosen = getattr(design, field)
        values |= dict(literal) | {f"{field}_{chosen}": APART}
    return values


# Computed once: coordinates are needed hundreds of times per decision.
_AUGMENTATIONS = {name: index / 3 for index, name in enumerate(get_args(Augmentation))}
_INITIALISATIONS = {name: index / 2 for index, name in enumerate(get_args(Initialisation))}
_CATEGORIES: dict[str, dict[str, float]] = {
    field: {f"{field}_{choice}": 0.0 for choice in get_args(literal)}
    for field, literal in (
        ("optimizer", Optimizer),
        ("pooling", Pooling),
        ("activation", Activation),
        ("schedule", Schedule),
    )
}


def _rates(design: Design) -> tuple[float, float]:
    plain = design.optimizer in ("sgd", "momentum", "nesterov")
    return ranges.SGD_RATE if plain else ranges.ADAPTIVE_RATE


def _log(value: float, limits: Sequence[float]) -> float:
    return math.log(value / limits[0]) / math.log(limits[-1] / limits[0])


def _part(value: float, limits: Sequence[float]) -> float:
    return (value - limits[0]) / (limits[1] - limits[0])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


NAMES = tuple(_values(Design()))
"""Names of the coordinates, in order."""

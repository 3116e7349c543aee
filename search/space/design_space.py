"""The define-by-run search space of convolutional networks: which hyperparameters exist, and how
their values make a design.

The transcript's axes are always searched, the others by name. The ranges, also of the learning
rate, are in search/space/ranges.py.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import Design
from search.space import coordinates
from search.space.axes import RECIPE, Axis
from search.space.epoch_work import epoch_work
from search.space.ranges import (
    ACTIVATIONS,
    ADAPTIVE_RATE,
    AUGMENTATIONS,
    BATCH_SIZES,
    BLOCKS,
    CONVOLUTIONS,
    DENSE_LAYERS,
    DENSE_WIDTH,
    DROPOUT_RATES,
    DROPOUT_STEP,
    FIRST_KERNELS,
    GRADIENT_CLIP,
    INITIALISATIONS,
    KERNEL_SIZES,
    KERNELS,
    LEAST_EPOCHS,
    MOMENTUM,
    NORMALISATIONS,
    OPTIMIZERS,
    PERSISTENCE,
    POOLINGS,
    SCHEDULES,
    SGD_RATE,
    SMOOTHING,
    SMOOTHING_STEP,
    WEIGHT_DECAY,
)
from search.terms.actions import Suggest

_ANSWERED_BY_FIELD = (
    "kernel_size",
    "pooling",
    "activation",
    "normalisation",
    "weight_decay",
    "schedule",
    "epochs",
    "label_smoothing",
    "augmentation",
    "gradient_clip",
    "initialisation",
)
_SGD = ("sgd", "momentum", "nesterov")


@dataclass(frozen=True)
class NetworkSpace:
    """The search space for images of a size: a `Space` of search/terms/actions.py, bounded by the
    longest training, the images' size in pixels, and the optional axes; their channels, classes and
    number tell the work of an epoch."""

    max_epochs: int
    height: int
    width: int
    axes: frozenset[str] = frozenset()
    channels: int = 3
    classes: int = 10
    images: int = 1
    """Training images."""

    @property
    def most_blocks(self) -> int:
        """The most blocks whose poolings leave at least one pixel."""
        return min(BLOCKS[1], min(self.height, self.width).bit_length() - 1)

    @property
    def has_recipe(self) -> bool:
        """Whether all that the portfolio and the prior are about is searched."""
        return "recipe" in self.axes

    def searches(self, axis: Axis) -> bool:
        """Whether an optional axis is searched."""
        return bool(self.axes & {axis, "all"}) or ("recipe" in self.axes and axis in RECIPE)

    def sample(self, suggest: Suggest) -> Design:
        """The design made of the values that `suggest` chooses."""
        return sample(suggest, self)

    def answers(self, design: Design) -> dict[str, Any]:
        """The hyperparameter values from which `sample` makes `design`."""
        return answers(design)

    def coordinates(self, design: Design) -> NDArray[np.float64]:
        """The feature vector (d,) of a design, each coordinate in 0..1."""
        return coordinates.coordinates(design)

    def epochs(self, design: Design) -> int:
        """The number of epochs after which a design's training is complete."""
        return design.epochs

    def is_result(self, design: Design, epoch: int) -> bool:
        """Whether the accuracy after `epoch` is what a training of so many epochs would give."""
        return design.is_result(epoch)

    def work(self, design: Design) -> NDArray[np.float64]:
        """The work of an epoch by kind (k,): search/space/epoch_work.py."""
        shape = (self.channels, self.height, self.width)
        return epoch_work(design, shape, self.classes, self.images)

    def persistence(self, design: Design) -> float:
        """How fast the design's error goes on falling in long trainings: search/space/ranges.py."""
        return PERSISTENCE[design.augmentation]

    def in_one_cycle(self, design: Design, epochs: int) -> Design:
        """The design, trained for just so many epochs in one learning-rate cycle."""
        return replace(design, schedule="triangular", epochs=epochs)


def sample(suggest: Suggest, space: NetworkSpace) -> Design:
    """Samples a design of `space`: each hyperparameter's value is chosen by `suggest`.

    With a constant learning rate, or one in cycles, `epochs` is the longest training, as there are
    results on the way; with another schedule it is a hyperparameter.
    """
    kernels = _kernels(suggest, space)
    batch_norm = suggest.suggest_categorical("batch_norm", (False, True))
    dense_layers = suggest.suggest_int("dense_layers", *DENSE_LAYERS)
    dense = tuple(
        suggest.suggest_int(f"dense_{layer}", *DENSE_WIDTH, log=True)
        for layer in range(1, dense_layers + 1)
    )
    return Design(
        kernels=kernels,
        batch_norm=batch_norm,
        dense=dense,
        batch_size=suggest.suggest_categorical("batch_size", BATCH_SIZES),
        **_convolution_details(suggest, space, kernels),
        **_dropout(suggest, kernels, dense),
        **_optimizer(suggest),
        **_training_details(suggest, space),
    )


def _kernels(suggest: Suggest, space: NetworkSpace) -> tuple[tuple[int, ...], ...]:
    blocks = suggest.suggest_int("blocks", BLOCKS[0], space.most_blocks)
    if not blocks:
        return ()
    convolutions = [
        suggest.suggest_int(f"convolutions_{block}", *CONVOLUTIONS)
        for block in range(1, blocks + 1)
    ]
    if suggest.suggest_categorical("doubling", (True, False)):
        first = suggest.suggest_int("first_kernels", *FIRST_KERNELS, log=True)
        return tuple((first * 2**block,) * count for block, count in enumerate(convolutions))
    return tuple(
        tuple(
            suggest.suggest_int(f"kernels_{block}_{layer}", *KERNELS, log=True)
            for layer in range(1, count + 1)
        )
        for block, count in enumerate(convolutions, start=1)
    )


def _convolution_details(
    suggest: Suggest, space: NetworkSpace, kernels: tuple[tuple[int, ...], ...]
) -> dict[str, Any]:
    if not kernels:
        return {"pooling": "none"}
    details: dict[str, Any] = {"pooling": "max"}
    # Without pooling the feature maps keep their size: two such blocks would cost more than any
    # other design of the space.
    if len(kernels) > 1 or suggest.suggest_categorical("pooled", (True, False)):
        if space.searches("average_pooling"):
            details["pooling"] = suggest.suggest_categorical("pooling", POOLINGS)
    else:
        details["pooling"] = "none"
    if space.searches("kernel_size"):
        details["kernel_size"] = suggest.suggest_categorical("kernel_size", KERNEL_SIZES)
    return details


def _dropout(
    suggest: Suggest, kernels: tuple[tuple[int, ...], ...], dense: tuple[int, ...]
) -> dict[str, Any]:
    rates: dict[str, Any] = {"flat_dropout": _rate(suggest, "flat_dropout")}
    if kernels:
        rate = _rate(suggest, "block_dropout")
        rates["block_dropout"] = (rate,) * len(kernels) if rate else ()
    if dense:
        rates["dense_dropout"] = _rate(suggest, "dense_dropout")
    return rates


def _rate(suggest: Suggest, name: str) -> float:
    return round(suggest.suggest_float(name, *DROPOUT_RATES, step=DROPOUT_STEP), 6)


def _optimizer(suggest: Suggest) -> dict[str, Any]:
    name = suggest.suggest_categorical("optimizer", OPTIMIZERS)
    if name not in _SGD:
        rate = suggest.suggest_float("adaptive_learning_rate", *ADAPTIVE_RATE, log=True)
        return {"optimizer": name, "learning_rate": rate}
    chosen = {
        "optimizer": name,
        "learning_rate": suggest.suggest_float("sgd_learning_rate", *SGD_RATE, log=True),
    }
    if name != "sgd":
        chosen["momentum"] = suggest.suggest_float("momentum", *MOMENTUM)
    return chosen


def _training_details(suggest: Suggest, space: NetworkSpace) -> dict[str, Any]:
    details: dict[str, Any] = {"normalisation": "scale", "epochs": space.max_epochs}
    if space.searches("activation"):
        details["activation"] = suggest.suggest_categorical("activation", ACTIVATIONS)
    if space.searches("normalisation"):
        details["normalisation"] = suggest.suggest_categorical("normalisation", NORMALISATIONS)
    if space.searches("weight_decay") and suggest.suggest_categorical("decay", (False, True)):
        details["weight_decay"] = suggest.suggest_float("weight_decay", *WEIGHT_DECAY, log=True)
    if space.searches("schedule"):
        details["schedule"] = suggest.suggest_categorical("schedule", SCHEDULES)
        searched = details["schedule"] not in ("constant", "cycles")
        if searched and space.max_epochs > LEAST_EPOCHS:
            details["epochs"] = suggest.suggest_int(
                "epochs", LEAST_EPOCHS, space.max_epochs, log=True
            )
    if space.searches("label_smoothing"):
        smoothing = suggest.suggest_float("label_smoothing", *SMOOTHING, step=SMOOTHING_STEP)
        details["label_smoothing"] = round(smoothing, 6)
    if space.searches("augmentation"):
        details["augmentation"] = suggest.suggest_categorical("augmentation", AUGMENTATIONS)
    if space.searches("gradient_clip") and suggest.suggest_categorical("clip", (False, True)):
        details["gradient_clip"] = suggest.suggest_float("gradient_clip", *GRADIENT_CLIP, log=True)
    if space.searches("initialisation"):
        details["initialisation"] = suggest.suggest_categorical("initialisation", INITIALISATIONS)
    return details


def answers(design: Design) -> dict[str, Any]:
    """The hyperparameter values from which `sample` makes `design`: the inverse of `sample`.

    Exact up to the number of epochs, for designs with pooling after all blocks or none, one dropout
    rate after all blocks, and the defaults of the axes that are not searched; a caller checks by
    sampling.
    """
    replies: dict[str, Any] = {
        "blocks": len(design.kernels),
        "batch_norm": design.batch_norm,
        "dense_layers": len(design.dense),
        "batch_size": design.batch_size,
        "flat_dropout": design.flat_dropout,
        "dense_dropout": design.dense_dropout,
        "block_dropout": max(design.block_dropout, default=0.0),
        "optimizer": design.optimizer,
        "momentum": design.momentum,
        "adaptive_learning_rate": design.learning_rate,
        "sgd_learning_rate": design.learning_rate,
        "pooled": design.pooling != "none",
        "decay": design.weight_decay > 0,
        "clip": design.gradient_clip > 0,
    }
    first = design.kernels[0][0] if design.kernels else 0
    doubled = tuple((first * 2**n,) * len(block) for n, block in enumerate(design.kernels))
    doubling = design.kernels == doubled and FIRST_KERNELS[0] <= first <= FIRST_KERNELS[1]
    replies |= {"doubling": doubling, "first_kernels": first}
    for block, counts in enumerate(design.kernels, start=1):
        replies[f"convolutions_{block}"] = len(counts)
        replies |= {f"kernels_{block}_{n}": count for n, count in enumerate(counts, start=1)}
    replies |= {f"dense_{n}": width for n, width in enumerate(design.dense, start=1)}
    return replies | {field: getattr(design, field) for field in _ANSWERED_BY_FIELD}

"""Design: the hyperparameters of a network and of its training, validated on construction.

Which values are allowed is said here; the ranges that a search samples from are the search space's.
"""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from models.rungs import rungs_of

Pooling = Literal["none", "max", "average"]
Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu"]
Optimizer = Literal["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"]
Schedule = Literal["constant", "one_cycle", "cosine", "cycles", "triangular"]
Augmentation = Literal["none", "flip", "flip_crop", "flip_crop_cutout"]
Normalisation = Literal["scale", "standardise"]
Initialisation = Literal["glorot", "dirac", "whitened"]

_CHOICES = {
    "pooling": get_args(Pooling),
    "activation": get_args(Activation),
    "optimizer": get_args(Optimizer),
    "schedule": get_args(Schedule),
    "augmentation": get_args(Augmentation),
    "normalisation": get_args(Normalisation),
    "initialisation": get_args(Initialisation),
}
"""Allowed values by field."""

MOST_BLOCKS = 8
MOST_CONVOLUTIONS = 8
MOST_DENSE = 3


@dataclass(frozen=True, kw_only=True)
class Design:
    """Hyperparameters of a convolutional network, or an MLP without kernels, and its training.

    The network is blocks of convolutions ("same" padding, stride 1), each block followed by 2x2
    pooling and dropout; then the flattened maps, dropout, hidden dense layers, and one dense layer
    to the classes. With batch_norm every convolution and every hidden dense layer is normalised
    before its activation (Ioffe & Szegedy 2015), and a convolution so followed has no use for a
    bias of its own but keeps it, as Keras does. Raises ValueError naming the field, its value and
    what is allowed.
    """

    kernels: tuple[tuple[int, ...], ...] = ((32,), (64,), (128,))
    """Kernels of each convolution, block by block; () for no convolution at all."""
    kernel_size: int = 3
    """Side of a kernel, odd, pixels."""
    pooling: Pooling = "max"
    """After each block."""
    batch_norm: bool = False
    block_dropout: tuple[float, ...] = ()
    """Dropout rate after each block; () for none."""
    flat_dropout: float = 0.0
    """Dropout rate of the inputs of the first dense layer."""
    dense: tuple[int, ...] = ()
    """Widths of the hidden dense layers, at most 3."""
    dense_dropout: float = 0.0
    """Dropout rate after each hidden dense layer."""
    activation: Activation = "relu"
    normalisation: Normalisation = "standardise"
    """Of pixels: scale to 0..1, or standardise by the training images' mean and deviation."""
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    """The rate of the constant schedule, the peak of the others."""
    momentum: float = 0.0
    """Of the optimizers momentum and nesterov only."""
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    """Of the learning rate; with "cycles" it rises and falls to zero from each rung to the next,
    with "triangular" once, both in straight lines."""
    batch_size: int = 64
    """Global: each of n workers takes batch_size/n."""
    epochs: int = 10
    """Epochs of a full training, over which the learning rate schedule runs."""
    label_smoothing: float = 0.0
    augmentation: Augmentation = "none"
    gradient_clip: float = 0.0
    """Largest L2 norm of the whole gradient; 0 for no clipping."""
    initialisation: Initialisation = "glorot"
    """Of weights; with "dirac" a convolution's first kernels pass on the maps that they get, and
    with "whitened" those of the first convolution whiten the images' patches besides."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kernels", tuple(tuple(block) for block in self.kernels))
        object.__setattr__(self, "block_dropout", tuple(map(float, self.block_dropout)))
        object.__setattr__(self, "dense", tuple(self.dense))
        for name in _NUMBERS:  # 0 and 0.0 are one design, with one id
            object.__setattr__(self, name, float(getattr(self, name)))
        self._check_layers()
        self._check_training()

    def _check_layers(self) -> None:
        convolutions = [count for block in self.kernels for count in block]
        self._require("kernels", len(self.kernels) <= MOST_BLOCKS, f"at most {MOST_BLOCKS} blocks")
        self._require(
            "kernels",
            all(1 <= len(block) <= MOST_CONVOLUTIONS for block in self.kernels),
            f"1 to {MOST_CONVOLUTIONS} convolutions a block",
        )
        self._require("kernels", all(_is_count(n) for n in convolutions), "whole numbers from 1")
        self._require(
            "kernel_size",
            _is_count(self.kernel_size) and self.kernel_size % 2 == 1 and self.kernel_size <= 11,
            "an odd number, 1 to 11",
        )
        self._require(
            "block_dropout",
            len(self.block_dropout) in (0, len(self.kernels)),
            f"no rate, or one for each of the {len(self.kernels)} blocks",
        )
        self._require("block_dropout", all(map(_is_rate, self.block_dropout)), "0 <= rate < 1")
        self._require("dense", len(self.dense) <= MOST_DENSE, f"at most {MOST_DENSE} widths")
        self._require("dense", all(_is_count(width) for width in self.dense), "widths from 1")
        for field in ("flat_dropout", "dense_dropout"):
            self._require(field, _is_rate(getattr(self, field)), "0 <= rate < 1")
        self._require_one_of("pooling")
        self._require_one_of("activation")
        self._require_one_of("normalisation")
        self._require_one_of("initialisation")

    def _check_training(self) -> None:
        self._require_one_of("optimizer")
        self._require_one_of("schedule")
        self._require_one_of("augmentation")
        self._require("learning_rate", 0 < self.learning_rate < math.inf, "more than 0")
        if self.optimizer in ("momentum", "nesterov"):
            self._require("momentum", 0 < self.momentum < 1, "0 < momentum < 1")
        else:
            self._require("momentum", self.momentum == 0, f"0 with optimizer {self.optimizer}")
        self._require("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more")
        self._require("batch_size", _is_count(self.batch_size), "a whole number from 1")
        self._require("epochs", _is_count(self.epochs), "a whole number from 1")
        self._require("label_smoothing", _is_rate(self.label_smoothing), "0 <= smoothing < 1")
        self._require("gradient_clip", 0 <= self.gradient_clip < math.inf, "0 or more")

    def _require(self, field: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise ValueError(f"{field} is {getattr(self, field)!r}; allowed: {allowed}")

    def _require_one_of(self, field: str) -> None:
        choices = _CHOICES[field]
        self._require(field, getattr(self, field) in choices, ", ".join(choices))

    def dropout_after(self, block: int) -> float:
        """The dropout rate after block number `block`, from 0."""
        return self.block_dropout[block] if self.block_dropout else 0.0

    def is_result(self, epoch: int) -> bool:
        """Whether the network after `epoch` epochs is what a training of just so many epochs gives.

        With a constant learning rate it always is, with cycles at the end of each, with another
        schedule at the end alone.
        """
        if self.schedule == "cycles":
            return epoch in rungs_of(self.epochs)
        return self.schedule == "constant" or epoch == self.epochs

    @property
    def depth(self) -> int:
        """Number of layers with weights: convolutions, hidden dense layers, and the last one."""
        return sum(len(block) for block in self.kernels) + len(self.dense) + 1

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of a hash of all fields; equal for equal designs.

        A field that earlier versions lacked counts only where it is not its default, so that their
        designs keep their ids.
        """
        fields = to_dict(self)
        for name, value in _LATER.items():
            if fields[name] == value:
                del fields[name]
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


_LATER = {"initialisation": "glorot"}
"""Fields that were added after designs had ids, with their defaults."""
_NUMBERS = tuple(field.name for field in dataclasses.fields(Design) if field.type is float)


def to_dict(design: Design) -> dict[str, Any]:
    """The design's fields as JSON has them (lists for tuples)."""
    fields = dict(vars(design))
    fields["kernels"] = [list(block) for block in design.kernels]
    fields["block_dropout"] = list(design.block_dropout)
    fields["dense"] = list(design.dense)
    return fields


def from_dict(fields: dict[str, Any]) -> Design:
    """The design of these fields; ValueError for an unknown field or a bad value."""
    unknown = set(fields) - {field.name for field in dataclasses.fields(Design)}
    if unknown:
        raise ValueError(f"unknown design field {sorted(unknown)[0]!r}")
    return Design(**fields)


def to_row(design: Design) -> dict[str, Any]:
    """The design's fields as one row of a table: 50|100-100 for kernels, 40-40 for dense."""
    row = to_dict(design)
    row["kernels"] = "|".join("-".join(map(str, block)) for block in design.kernels)
    row["block_dropout"] = "-".join(map(str, design.block_dropout))
    row["dense"] = "-".join(map(str, design.dense))
    return row


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_rate(value: float) -> bool:
    return 0 <= value < 1

"""The names of the design space's axes that are searched only when asked for."""

from typing import Literal

Axis = Literal[
    "kernel_size",
    "average_pooling",
    "activation",
    "normalisation",
    "weight_decay",
    "schedule",
    "label_smoothing",
    "augmentation",
    "gradient_clip",
    "all",
]

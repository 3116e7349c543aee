"""Names of the optional axes of the search space, which are searched only on request (--axes)."""

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

"""Names of the optional axes of the search space (--axes): by default those of the recipe."""

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
    "initialisation",
    "all",
    "recipe",
    "transcript",
]
RECIPE = frozenset(
    [
        "normalisation",
        "weight_decay",
        "schedule",
        "label_smoothing",
        "augmentation",
        "initialisation",
    ]
)
"""What the axis `recipe` stands for: how small networks are trained well. `transcript` stands for
none of them."""

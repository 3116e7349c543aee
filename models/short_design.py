"""A design in a few words, for people: "cnn 32-64-128, bn, adam 1e-3"."""

import re

from models.design import Design


def describe(design: Design) -> str:
    """Network, optimizer and settings that are not plain; several designs may share a
    description."""
    network = f"cnn {_kernels(design)}" if design.kernels else f"mlp {_dense(design)}"
    rates = [*design.block_dropout, design.flat_dropout, design.dense_dropout]
    parts = [
        network,
        f"dense {_dense(design)}" if design.kernels and design.dense else "",
        "bn" if design.batch_norm else "",
        "dropout" if any(rates) else "",
        f"{design.optimizer} {_power(design.learning_rate)}",
        design.schedule.replace("_", "-") if design.schedule != "constant" else "",
        design.augmentation.replace("_", "-") if design.augmentation != "none" else "",
    ]
    return ", ".join(part for part in parts if part)


def file_name(design: Design) -> str:
    """The description as part of a file name: "cnn-32-64-128-bn-adam-1e-3"."""
    return re.sub(r"[ ,]+", "-", describe(design))


def _kernels(design: Design) -> str:
    blocks = "-".join("+".join(map(str, block)) for block in design.kernels)
    return blocks + (f" of {design.kernel_size}x{design.kernel_size}" * (design.kernel_size != 3))


def _dense(design: Design) -> str:
    return "-".join(map(str, design.dense)) or "without hidden layer"


def _power(value: float) -> str:
    """0.001 as 1e-3, 0.00032 as 3.2e-4, 0.25 as 0.25."""
    if 0.1 <= value < 1000:
        return f"{value:.2g}"
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"

"""A network's layers in order, each with its output shape and parameters."""

from typing import NamedTuple

import torch
from torch import nn

from models.design import Design
from models.network import Shape, build, count_parameters

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "ReLU",
    nn.LeakyReLU: "leaky ReLU",
    nn.ELU: "ELU",
    nn.GELU: "GELU",
    nn.SiLU: "SiLU",
}


class Layer(NamedTuple):
    """One layer, with the activation that follows it."""

    kind: str
    """input, convolution, normalisation, pooling, dropout, flatten or dense."""
    label: str
    output: tuple[int, ...]
    """(channels, height, width), or (features,)."""
    parameters: int


def network_layers(design: Design, shape: Shape, classes: int) -> list[Layer]:
    """The layers of the design's network, the image first; nothing is allocated.

    Their parameters sum to those of the network.
    """
    with torch.device("meta"):
        network = build(design, shape, classes).eval()
        maps = torch.empty(1, *shape)
    layers = [Layer("input", "Image", shape, 0)]
    for module in network.layers():
        maps = module(maps)
        if type(module) in ACTIVATIONS:
            activation = ACTIVATIONS[type(module)]
            layers[-1] = layers[-1]._replace(label=f"{layers[-1].label}, {activation}")
        else:
            kind, label = _describe(module)
            layers.append(Layer(kind, label, tuple(maps.shape[1:]), count_parameters(module)))
    return layers


def _describe(module: nn.Module) -> tuple[str, str]:
    match module:
        case nn.Conv2d():
            side = module.kernel_size[0]
            return "convolution", f"Convolution {side}×{side}, {module.out_channels} kernels"
        case nn.BatchNorm2d() | nn.BatchNorm1d():
            return "normalisation", "Batch normalisation"
        case nn.MaxPool2d():
            return "pooling", "Max pooling 2×2"
        case nn.AvgPool2d():
            return "pooling", "Average pooling 2×2"
        case nn.Dropout():
            return "dropout", f"Dropout {module.p:.0%}"
        case nn.Flatten():
            return "flatten", "Flatten"
        case nn.Linear():
            return "dense", f"Dense, {module.out_features} neurons"
    raise TypeError(f"a layer of an unknown kind: {type(module).__name__}")

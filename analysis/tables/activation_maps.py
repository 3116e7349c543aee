"""The activation maps of every convolution and pooling layer for one image."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from analysis.tables.network_layers import ACTIVATIONS
from models.network import Network

MOST_MAPS = 8


class LayerMaps(NamedTuple):
    """The strongest maps of one layer."""

    label: str
    maps: NDArray[np.float32]
    """(at most 8, height, width), the strongest first."""
    total: int
    """How many maps the layer has."""
    blank: int
    """How many of all its maps are zero everywhere (or of one value)."""


def activation_maps(network: Network, image: Tensor) -> list[LayerMaps]:
    """Maps of each convolution (after its activation) and each pooling for `image`.

    `image` is (channels, height, width) as the network takes it, normalised.
    """
    layers: list[LayerMaps] = []
    convolution = 0
    maps = image[None]
    network.eval()
    with torch.inference_mode():
        for block in network.blocks:
            for module in block.children():
                maps = module(maps)
                if type(module) in ACTIVATIONS:
                    convolution += 1
                    layers.append(_strongest(f"convolution {convolution}", maps[0]))
                elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
                    layers.append(_strongest(f"pooling after convolution {convolution}", maps[0]))
    return layers


def _strongest(label: str, maps: Tensor) -> LayerMaps:
    """The layer's strongest maps, by mean absolute activation."""
    strength = maps.abs().mean(dim=(1, 2))
    order = strength.argsort(descending=True, stable=True)[:MOST_MAPS]
    flat = maps.flatten(1)
    blank = int((flat.amax(1) == flat.amin(1)).sum())
    return LayerMaps(label, maps[order].numpy(), len(maps), blank)

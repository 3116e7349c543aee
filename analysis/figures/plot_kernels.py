"""The figure of what the first layer has learned: kernels, or the weights of its neurons."""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from analysis.figures.figure_style import WIDTH, bare_axes, bare_figure
from models.network import Network, Shape

MOST = 64
COLUMNS = 8


class KernelsInfo(NamedTuple):
    """Weights as pictures."""

    pictures: NDArray[np.float64]
    """(n, height, width, 3) in 0..1, or (n, height, width) in -1..1, 0 for no weight."""
    total: int
    """How many the layer has."""
    of: str
    """kernels, or neurons."""


def kernels_info(network: Network, shape: Shape) -> KernelsInfo:
    """The first convolution's kernels; without one, the weights of the first dense layer.

    With three channels a picture is red, green and blue, from its smallest weight to its largest;
    else it is the mean over channels, scaled by its largest absolute weight.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            weights, of = layer.weight, "kernels"
            break
        if isinstance(layer, nn.Linear):
            weights, of = layer.weight.view(-1, *shape), "neurons"
            break
    array = weights.detach()[:MOST].numpy().astype(float)
    return KernelsInfo(_pictures(array), len(weights), of)


def draw(info: KernelsInfo) -> Figure:
    """Eight in a row."""
    canvas = tiled(info.pictures)
    height = WIDTH * canvas.shape[0] / canvas.shape[1]
    figure = bare_figure(height)
    axes = bare_axes(figure, 0, 0, WIDTH, height)
    axes.imshow(canvas, cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
    return figure


def tiled(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, height, width[, 3]) to one picture, eight in a row on white, a tenth of a side apart."""
    count, height, width, *channels = pictures.shape
    grow = max(1, 40 // width)
    large = pictures.repeat(grow, axis=1).repeat(grow, axis=2)
    gap = max(1, width * grow // 10)
    down, right = height * grow + gap, width * grow + gap
    rows = math.ceil(count / COLUMNS)
    shape = (rows * down + gap, COLUMNS * right + gap, *channels)
    canvas = np.full(shape, 1.0 if channels else np.nan)
    for number in range(count):
        top, left = gap + number // COLUMNS * down, gap + number % COLUMNS * right
        canvas[top : top + down - gap, left : left + right - gap] = large[number]
    return canvas


def _pictures(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if weights.shape[1] == 3:
        low = weights.min(axis=(1, 2, 3), keepdims=True)
        high = weights.max(axis=(1, 2, 3), keepdims=True)
        scaled = (weights - low) / np.where(high > low, high - low, 1)
        return np.asarray(scaled.transpose(0, 2, 3, 1))
    grey = weights.mean(axis=1)
    largest = np.abs(grey).max(axis=(1, 2), keepdims=True)
    return np.asarray(grey / np.where(largest > 0, largest, 1))

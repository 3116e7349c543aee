"""The figure of one image's activation maps: a strip for each layer."""

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures.class_labels import labels_of
from analysis.figures.figure_style import WIDTH, bare_axes, bare_figure
from analysis.run.winner_folder import Winner
from analysis.tables.activation_maps import MOST_MAPS, LayerMaps, activation_maps

SIDE = 32
"""Smaller maps are enlarged to about so many pixels."""
# Inches.
EDGE, LABEL, IMAGE = 0.06, 0.26, 1.1


class Strip(NamedTuple):
    """The maps of one layer side by side."""

    label: str
    pixels: NDArray[np.float64]
    """(height, width) in 0..1; NaN between the maps."""


class ActivationsInfo(NamedTuple):
    """One image and its strips, from the first layer to the last."""

    title: str
    image: NDArray[np.uint8]
    """(height, width) or (height, width, 3)."""
    strips: list[Strip]


def activations_info(winner: Winner, sample: int) -> ActivationsInfo:
    """The maps that the winner's network makes of its sample number `sample`."""
    if winner.network is None or winner.samples is None or winner.sample_labels is None:
        raise ValueError("the winner has no network or no samples")
    pixels = winner.samples[sample]
    image = winner.normalise(torch.from_numpy(pixels[None]))[0]
    layers = activation_maps(winner.network, image)
    return ActivationsInfo(
        title=labels_of(winner.classes).label(int(winner.sample_labels[sample]), 40),
        image=pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0],
        strips=[Strip(_label(layer), strip_pixels(layer.maps)) for layer in layers],
    )


def strip_pixels(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, height, width) to one picture; each map is scaled from its least to its greatest."""
    count, height, width = maps.shape
    grow = max(1, SIDE // width)
    height, width = height * grow, width * grow
    gap = max(1, width // 16)
    strip = np.full((height, MOST_MAPS * (width + gap) - gap), np.nan)
    for number in range(count):
        low, high = maps[number].min(), maps[number].max()
        scaled = (maps[number] - low) / (high - low if high > low else 1)
        left = number * (width + gap)
        strip[:, left : left + width] = scaled.repeat(grow, axis=0).repeat(grow, axis=1)
    return strip


def draw(info: ActivationsInfo) -> Figure:
    """The image on top, then a strip a layer with its name above it."""
    inner = WIDTH - 2 * EDGE
    heights = [inner * strip.pixels.shape[0] / strip.pixels.shape[1] for strip in info.strips]
    whole = LABEL + IMAGE + sum(heights) + (LABEL + EDGE) * len(heights) + 2 * EDGE
    figure = bare_figure(whole)
    axes = bare_axes(figure, 0, 0, WIDTH, whole)  # one for all: axes are slow to make
    axes.text(EDGE, LABEL - 0.06, info.title, fontsize=11)
    grey = "gray" if info.image.ndim == 2 else None
    axes.imshow(info.image, cmap=grey, extent=_place(LABEL, IMAGE, IMAGE))
    top = LABEL + IMAGE + EDGE
    for strip, height in zip(info.strips, heights, strict=True):
        axes.text(EDGE, top + LABEL - 0.06, strip.label, fontsize=9.5)
        place = _place(top + LABEL, inner, height)
        axes.imshow(strip.pixels, cmap="viridis", vmin=0, vmax=1, extent=place)
        top += LABEL + height + EDGE
    axes.set(xlim=(0, WIDTH), ylim=(whole, 0), aspect="auto")
    return figure


def _place(top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Left, right, bottom and top, in inches from the upper left."""
    return EDGE, EDGE + width, top + height, top


def _label(layer: LayerMaps) -> str:
    blank = f", {layer.blank} blank" if layer.blank else ""
    return f"{layer.label}: {min(MOST_MAPS, layer.total)} of {layer.total} maps{blank}"

"""The drawing of a network: a box for each layer, with its maps, output shape and parameters."""

import math
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from analysis.figures.figure_style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    WIDTH,
    bare_axes,
    bare_figure,
)
from analysis.tables.network_layers import Layer

COLOURS = {
    "input": GREY,
    "convolution": BLUE,
    "normalisation": SKY,
    "pooling": GREEN,
    "dropout": PURPLE,
    "flatten": ORANGE,
    "dense": VERMILION,
}
ROW = 0.56
"""Inches from one layer to the next."""
ICON = 0.42
"""Side of the largest map, inches."""


class Box(NamedTuple):
    """One layer as it is drawn."""

    label: str
    detail: str
    """Output shape and parameters."""
    colour: str
    sheets: int
    """Maps drawn behind each other, 0 for a bar of features."""
    side: float
    """Share of the largest side of a map, or of the longest bar."""


class StructureInfo(NamedTuple):
    """The boxes from the image down."""

    boxes: list[Box]
    parameters: int


def structure_info(layers: list[Layer]) -> StructureInfo:
    """What is drawn of `layers` (network_layers.network_layers)."""
    side = max(layer.output[-1] for layer in layers if len(layer.output) == 3)
    features = max(math.log2(layer.output[0] + 1) for layer in layers if len(layer.output) == 1)
    boxes = []
    for layer in layers:
        maps = len(layer.output) == 3
        shape = " × ".join(f"{number:,}" for number in layer.output)
        weights = f"{layer.parameters:,} parameters" if layer.parameters else "no parameters"
        boxes.append(
            Box(
                label=layer.label,
                detail=shape if layer.kind == "input" else f"{shape}   ·   {weights}",
                colour=COLOURS[layer.kind],
                sheets=_sheets(layer.output[0]) if maps else 0,
                side=layer.output[-1] / side if maps else math.log2(layer.output[0] + 1) / features,
            )
        )
    return StructureInfo(boxes, sum(layer.parameters for layer in layers))


def draw(info: StructureInfo) -> Figure:
    """From top to bottom, with the size of the maps to scale at the left."""
    height = ROW * len(info.boxes)
    figure = bare_figure(height)
    axes = bare_axes(figure, 0, 0, WIDTH, height)
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    for number, box in enumerate(info.boxes):
        _draw_box(axes, box, (number + 0.5) * ROW)
        if number:
            axes.annotate(
                "",
                (1.35, (number + 0.5) * ROW - 0.22),
                (1.35, (number - 0.5) * ROW + 0.22),
                arrowprops={"arrowstyle": "->", "color": BLACK, "shrinkA": 0, "shrinkB": 0},
            )
    return figure


def _draw_box(axes: Axes, box: Box, middle: float) -> None:
    if box.sheets:
        _draw_maps(axes, box, middle)
    else:
        length = 0.95 * box.side
        axes.add_patch(
            Rectangle((0.5 - length / 2, middle - 0.05), length, 0.1, fc=box.colour, ec="none")
        )
    axes.add_patch(
        FancyBboxPatch(
            (1.15, middle - 0.2),
            WIDTH - 1.25,
            0.4,
            boxstyle="round,pad=0.02,rounding_size=0.06",
            fc=f"{box.colour}22",
            ec=box.colour,
            lw=1.2,
        )
    )
    axes.text(1.6, middle - 0.09, box.label, va="center", fontsize=10)
    axes.text(1.6, middle + 0.1, box.detail, va="center", fontsize=8.8, color="#333333")


def _draw_maps(axes: Axes, box: Box, middle: float) -> None:
    side, shift = max(0.06, ICON * box.side), 0.035
    width = side + shift * (box.sheets - 1)
    for sheet in range(box.sheets):
        axes.add_patch(
            Rectangle(
                (0.5 - width / 2 + shift * sheet, middle - side / 2),
                side,
                side,
                fc="white" if sheet % 2 else f"{box.colour}66",
                ec=box.colour,
                lw=0.7,
            )
        )


def _sheets(channels: int) -> int:
    """1 map as one sheet, more of them by their logarithm."""
    return 1 + round(1.4 * math.log2(channels))

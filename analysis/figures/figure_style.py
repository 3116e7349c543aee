"""The matplotlib style of all figures: sized for a phone, readable without colour."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 5.5
"""Inches."""
HEIGHT = 3.8
# Okabe & Ito (2008), which colour-blind people distinguish too; yellow is too pale for lines.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
MARKERS = ("o", "s", "^", "D", "v")

_SETTINGS: Any = {
    "font.size": 12,
    "axes.titlesize": 12.5,
    "axes.labelsize": 12,
    "legend.fontsize": 11,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "figure.facecolor": "white",
    "image.interpolation": "nearest",
    "text.parse_math": False,  # a class may be called $x$
    "svg.hashsalt": "kneepoint",  # equal figures are equal files
}


@contextmanager
def style(families: Sequence[str] = ()) -> Iterator[None]:
    """Context in which figures are made and saved in this style, with these font families if
    any."""
    with mpl.rc_context(_SETTINGS | ({"font.family": list(families)} if families else {})):
        yield


def new_figure(height: float = HEIGHT, width: float = WIDTH) -> Figure:
    """An empty figure of this size in inches, with constrained layout."""
    return Figure(figsize=(width, height), layout="constrained")


def bare_figure(height: float) -> Figure:
    """An empty figure for `bare_axes`, as wide as the others."""
    return Figure(figsize=(WIDTH, height))


def bare_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes without lines or ticks at this place of `figure`, in inches from its upper left."""
    whole_width, whole_height = figure.get_size_inches()
    bottom = whole_height - top - height
    place = (
        left / whole_width,
        bottom / whole_height,
        width / whole_width,
        height / whole_height,
    )
    axes = figure.add_axes(place)
    axes.set_axis_off()
    return axes

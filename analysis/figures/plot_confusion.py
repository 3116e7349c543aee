"""The figure of the confusion matrix."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures.class_labels import labels_of
from analysis.figures.figure_style import WIDTH, new_figure
from analysis.tables.prediction_quality import Metrics, class_names

MOST_NUMBERED = 20
"""Classes up to which the cells have numbers."""
MOST_NAMED = 40
"""Classes up to which each has its name on the axes."""


class ConfusionInfo(NamedTuple):
    """Counts, a row an actual class."""

    classes: list[str]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    """Of each row: 0..1."""
    numbered: bool


def confusion_info(metrics: Metrics) -> ConfusionInfo:
    """The matrix of metrics.json."""
    counts = np.array(metrics["confusion"], dtype=np.int64)
    totals = counts.sum(axis=1, keepdims=True)
    names = labels_of(class_names(metrics)).labels(14)
    return ConfusionInfo(names, counts, counts / np.maximum(totals, 1), len(names) <= MOST_NUMBERED)


def draw(info: ConfusionInfo) -> Figure:
    """Rows are actual classes, columns predicted ones; darker is more of the row."""
    count = len(info.classes)
    side = WIDTH if count <= 10 else min(11.0, WIDTH + 0.35 * (count - 10))
    figure = new_figure(side, side)
    axes = figure.add_subplot()
    axes.grid(visible=False)
    axes.imshow(info.shares, cmap="Blues", vmin=0, vmax=1)
    every = 1 if count <= MOST_NAMED else 10
    ticks = np.arange(0, count, every)
    labels = [info.classes[tick] for tick in ticks]
    axes.set_xticks(ticks, labels, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    if info.numbered:
        font = max(5.5, min(10.0, 100 / count - 0.35 * max(0, len(str(info.counts.max())) - 2)))
        for row, column in np.ndindex(count, count):
            axes.text(
                column,
                row,
                f"{info.counts[row, column]}",
                ha="center",
                va="center",
                fontsize=font,
                color="white" if info.shares[row, column] > 0.6 else "black",
            )
    return figure

"""The figure of a comparison: best accuracy against training cost, by strategy."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.quantities import count
from search.replay.comparison import Result, lines

Array = NDArray[np.float64]

POINTS = 200
COLUMNS = 3


def draw(results: Sequence[Result], path: Path) -> None:
    """Writes the figure to `path`."""
    make(results).savefig(path)


def make(results: Sequence[Result]) -> Figure:
    """One panel per table and number of workers, one line per strategy: its best variant."""
    best = [line.result for line in lines(results)]
    settings = list(dict.fromkeys((each.table, each.task.workers) for each in best))
    columns = min(COLUMNS, len(settings))
    rows = -(-len(settings) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.6 * rows), layout="constrained", dpi=130)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    strategies = list(dict.fromkeys(each.task.strategy for each in best))
    colours = dict(zip(strategies, matplotlib.color_sequences["tab10"], strict=False))
    for panel in panels[len(settings) :]:
        panel.set_axis_off()
    for (table, workers), panel in zip(settings, panels, strict=False):
        there = [each for each in best if (each.table, each.task.workers) == (table, workers)]
        _draw(panel, there, colours)
        panel.set_title(f"{table}, {count(workers, 'worker')}", fontsize=10)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _draw(panel: Axes, results: Sequence[Result], colours: Mapping[str, Any]) -> None:
    costs = np.geomspace(0.1, 200, POINTS)
    for result in results:
        curves = np.array([_curve(each.trace, costs * result.full_cost) for each in result.scores])
        median = np.nanmedian(np.where(np.isnan(curves), 0.0, curves), axis=0)
        median[median == 0] = np.nan
        panel.plot(costs, median, label=result.task.strategy, color=colours[result.task.strategy])
    panel.axhline(results[0].target, color="0.6", linewidth=0.8, linestyle="--")
    panel.set_xscale("log")
    panel.set_ylim(bottom=results[0].target - 0.25)
    panel.set_xlabel("Spent, in mean full trainings")
    panel.set_ylabel("Best accuracy, median; a replay ends at the target", fontsize=8)


def _curve(trace: Sequence[tuple[float, float]], costs: Array) -> Array:
    """The best accuracy at each of `costs`, worker-seconds; NaN before the first result."""
    spent, best = np.array(trace or [(np.inf, np.nan)]).T
    index = np.searchsorted(spent, costs, side="right") - 1
    return np.where(index >= 0, best[np.maximum(index, 0)], np.nan)

"""Figure of accuracy against training time or parameters, with the Pareto front and its knee."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from analysis.figures.figure_style import BLUE, GREY, VERMILION, new_figure
from analysis.run.accuracies import PLAIN, Accuracies
from analysis.run.quantities import size
from analysis.tables.knee import Knee
from search.terms.front import on_front

MANY = 1500
"""Number of points above which an SVG holds them as pixels."""


class AccuracyCostInfo(NamedTuple):
    """Data of the figure: n points by cost and accuracy, those on the front, and the knee."""

    cost: NDArray[np.float64]
    percent: NDArray[np.float64]
    front: NDArray[np.bool_]
    knee: tuple[float, float] | None
    """(cost, percent)."""
    log: bool
    """Whether the costs span more than a decade."""
    cost_label: str
    accuracy_label: str
    counts: bool
    """Whether the costs are counts, written 31k, and not seconds."""

    @property
    def floor(self) -> float:
        """Percent below which points are left out, lest the worst squeeze the front."""
        if not len(self.percent):
            return 0.0
        return min(float(np.percentile(self.percent, 5)), float(self.percent[self.front].min()))

    @property
    def hidden(self) -> int:
        """How many points are left out."""
        return int((self.percent < self.floor).sum())


def time_info(
    marked: pd.DataFrame, knee: Knee, held_out: str, accuracies: Accuracies = PLAIN
) -> AccuracyCostInfo:
    """Data over training time, in the unit that suits it; `marked` is from
    front_points.with_front."""
    seconds = marked["seconds"].to_numpy(dtype=float)
    unit, factor = time_unit(float(seconds.max(initial=0.0)))
    accuracy = marked[accuracies.column].to_numpy(dtype=float)
    at = None
    if knee.row is not None:
        at = (float(knee.row["seconds"]) / factor, 100 * float(knee.row[accuracies.column]))
    return AccuracyCostInfo(
        cost=seconds / factor,
        percent=100 * accuracy,
        front=marked["on_front"].to_numpy(dtype=bool),
        knee=at,
        log=spans_decade(seconds),
        cost_label=f"training time of all workers, {unit}",
        accuracy_label=f"{held_out} {accuracies.name}, %",
        counts=False,
    )


def parameters_info(
    points: pd.DataFrame, held_out: str, accuracies: Accuracies = PLAIN
) -> AccuracyCostInfo:
    """Data over parameters: the best point of each trial."""
    best = points.sort_values(accuracies.column, kind="stable").groupby("trial").tail(1)
    parameters = best["parameters"].to_numpy(dtype=float)
    accuracy = best[accuracies.column].to_numpy(dtype=float)
    return AccuracyCostInfo(
        cost=parameters,
        percent=100 * accuracy,
        front=on_front(accuracy, parameters),
        knee=None,
        log=spans_decade(parameters),
        cost_label="parameters",
        accuracy_label=f"best {held_out} {accuracies.name}, %",
        counts=True,
    )


def time_unit(longest: float) -> tuple[str, float]:
    """The unit for times up to `longest` seconds, and its seconds."""
    if 0 < longest < 1:
        return "milliseconds", 1e-3
    if longest < 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if longest < 3 * 3600 else ("hours", 3600.0)


def spans_decade(values: NDArray[np.float64]) -> bool:
    """Whether the largest of `values` is more than ten times the smallest, all above 0."""
    return len(values) > 0 and bool(values.min() > 0 and values.max() > 10 * values.min())


def draw(info: AccuracyCostInfo) -> Figure:
    """All points, those on the front joined by steps, and the knee."""
    figure = new_figure(4.1)
    axes = figure.add_subplot()
    many = len(info.cost) > MANY
    off = ~info.front
    axes.plot(
        info.cost[off],
        info.percent[off],
        "o",
        color=GREY,
        ms=3,
        alpha=0.55,
        mew=0,
        rasterized=many,
        label="other points",
    )
    order = np.lexsort((info.percent[info.front], info.cost[info.front]))
    cost, percent = info.cost[info.front][order], info.percent[info.front][order]
    axes.step(cost, percent, where="post", color=BLUE, linewidth=1.2)
    axes.plot(cost, percent, "s", color=BLUE, ms=4.5, label="front")
    if info.knee is not None:
        axes.plot(*info.knee, "*", color=VERMILION, ms=17, mec="white", label="knee")
    _scale(axes, info)
    axes.set_xlabel(info.cost_label)
    axes.set_ylabel(info.accuracy_label)
    figure.legend(loc="outside upper center", ncols=3, handletextpad=0.4, columnspacing=1.4)
    return figure


def _scale(axes: Axes, info: AccuracyCostInfo) -> None:
    if info.log:
        axes.set_xscale("log")
        decades = np.log10(info.cost.max() / info.cost.min())
        axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if decades < 2.5 else (1,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    write = size_tick if info.counts else plain_tick
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    if len(info.percent):
        spread = max(info.percent.max() - info.floor, 1.0)
        axes.set_ylim(info.floor - 0.06 * spread, info.percent.max() + 0.08 * spread)


def plain_tick(value: float) -> str:
    """A tick without an exponent."""
    return f"{value:,.10g}"


def size_tick(value: float) -> str:
    """A tick of a count: 31k."""
    return size(int(value)) if value >= 0 else ""

"""The figure of hyperparameter importances."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.figure_style import BLUE, ORANGE, WIDTH, new_figure
from analysis.tables.importance import Importances

MOST = 12


class ImportancesInfo(NamedTuple):
    """Percent of importance of each parameter, the most important for accuracy first."""

    parameters: list[str]
    accuracy: list[float]
    cost: list[float]


def importances_info(found: Importances) -> ImportancesInfo:
    """The parameters that matter most for either, at most twelve."""
    frame = found.frame
    most = frame[["accuracy", "seconds_per_epoch"]].max(axis=1).nlargest(MOST).index
    frame = frame[frame.index.isin(most)]
    return ImportancesInfo(
        parameters=[str(name) for name in frame["parameter"]],
        accuracy=[100 * float(share) for share in frame["accuracy"]],
        cost=[100 * float(share) for share in frame["seconds_per_epoch"]],
    )


def draw(info: ImportancesInfo) -> Figure:
    """Two bars a parameter."""
    figure = new_figure(1.3 + 0.42 * len(info.parameters), WIDTH)
    axes = figure.add_subplot()
    rows = np.arange(len(info.parameters))
    axes.barh(rows - 0.19, info.accuracy, 0.38, color=BLUE, label="for accuracy")
    axes.barh(
        rows + 0.19,
        info.cost,
        0.38,
        color=ORANGE,
        hatch="///",
        edgecolor="white",
        linewidth=0,
        label="for seconds per epoch",
    )
    axes.set_yticks(rows, info.parameters)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("share of importance, %")
    figure.legend(loc="outside upper center", ncols=2)
    return figure

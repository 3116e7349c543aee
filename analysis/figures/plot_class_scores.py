"""The figure of precision, recall and F1 of each class."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.class_labels import labels_of
from analysis.figures.figure_style import BLUE, GREEN, ORANGE, new_figure
from analysis.tables.prediction_quality import Metrics, class_names

SCORES = ("precision", "recall", "f1")
MOST = 20


class ClassScoresInfo(NamedTuple):
    """Percent of each class, worst F1 first if there are many."""

    classes: list[str]
    scores: dict[str, list[float]]
    """precision, recall and f1."""
    left_out: int
    """Classes that the figure has no room for."""


def class_scores_info(metrics: Metrics) -> ClassScoresInfo:
    """The classes in their order; of more than twenty those with the lowest F1."""
    labels = labels_of(class_names(metrics)).labels(18)
    rows = list(zip(labels, metrics["classes"], strict=True))
    if len(rows) > MOST:
        rows = sorted(rows, key=lambda row: row[1]["f1"])[:MOST]
    return ClassScoresInfo(
        classes=[label for label, _ in rows],
        scores={score: [100 * float(row[score]) for _, row in rows] for score in SCORES},
        left_out=len(metrics["classes"]) - len(rows),
    )


def draw(info: ClassScoresInfo) -> Figure:
    """Three bars a class."""
    figure = new_figure(1.2 + 0.45 * len(info.classes))
    axes = figure.add_subplot()
    rows = np.arange(len(info.classes))
    looks = ((BLUE, ""), (ORANGE, "///"), (GREEN, "..."))
    names = {"precision": "precision", "recall": "recall", "f1": "F1"}
    for number, (score, (colour, hatch)) in enumerate(zip(SCORES, looks, strict=True)):
        axes.barh(
            rows + 0.27 * (number - 1),
            info.scores[score],
            0.26,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            label=names[score],
        )
    axes.set_yticks(rows, info.classes)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    figure.legend(loc="outside upper center", ncols=3)
    return figure

"""Table of the gain of further epochs, from each result to one after twice as many, or more."""

import itertools
from typing import Any

import pandas as pd

from analysis.run.accuracies import PLAIN, Accuracies
from analysis.tables.table_files import Table

MOST_TRIALS = 5
COLUMNS = (
    *("trial", "name", "from_epochs", "to_epochs", "from_accuracy", "to_accuracy"),
    *("gained_points", "further_seconds", "further_gpu_hours", "further_cpu_core_hours"),
    "points_per_hour",
)


def epoch_gain_table(points: pd.DataFrame, held_out: str, accuracies: Accuracies = PLAIN) -> Table:
    """The gain of each of the `steps`, for the best trials (`points` as of frames.points)."""
    column = accuracies.column
    best = points.groupby("trial")[column].max().sort_values(ascending=False, kind="stable")
    rows = [
        row
        for trial in best.index[:MOST_TRIALS]
        for row in _gains(points[points["trial"] == trial].sort_values("epochs"), column)
    ]
    return Table(
        name="epoch_gain",
        title="From some epochs to twice as many, or more",
        frame=pd.DataFrame(rows, columns=list(COLUMNS)),
        rule=(
            f"The {MOST_TRIALS} trials with the best {accuracies.name} on the {held_out} images, "
            "from each result to the next after twice as many epochs at least, and to the last. "
            "Gained are percentage points, of single epochs and so with their noise; an hour is "
            "one of a GPU where the trial held one, else of a CPU core. With a learning rate in "
            "cycles their ends are results, with another schedule only the last epoch is."
            f"{accuracies.rule}"
        ),
    )


def steps(epochs: list[int]) -> list[tuple[int, int]]:
    """From and to of each step: to the first of `epochs` that is twice as many at least, and in the
    end to the last one."""
    kept: list[int] = []
    for epoch in epochs:
        if not kept or epoch >= 2 * kept[-1] or epoch == epochs[-1]:
            kept.append(epoch)
    return list(itertools.pairwise(kept))


def _gains(points: pd.DataFrame, column: str) -> list[dict[str, Any]]:
    rows = []
    by_epoch = {int(row["epochs"]): row for _, row in points.iterrows()}
    for start, end in steps(list(by_epoch)):
        before, after = by_epoch[start], by_epoch[end]
        gained = 100 * (after[column] - before[column])
        gpu: float | None = None
        if pd.notna(after["gpu_hours"]):
            gpu = float(after["gpu_hours"]) - float(before["gpu_hours"])
        cores = after["cpu_core_hours"] - before["cpu_core_hours"]
        hours = cores if gpu is None else gpu
        rows.append(
            {
                "trial": after["trial"],
                "name": after["name"],
                "from_epochs": start,
                "to_epochs": end,
                "from_accuracy": before[column],
                "to_accuracy": after[column],
                "gained_points": gained,
                "further_seconds": after["seconds"] - before["seconds"],
                "further_gpu_hours": gpu,
                "further_cpu_core_hours": cores,
                "points_per_hour": gained / hours if hours else None,
            }
        )
    return rows

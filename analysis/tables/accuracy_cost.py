"""Table of accuracy versus cost: the points on or near the Pareto front."""

import pandas as pd

from analysis.run.accuracies import PLAIN, Accuracies
from analysis.run.frames import BILL
from analysis.tables.front_points import with_front
from analysis.tables.table_files import Table

COLUMNS = (
    *("trial", "epochs", "val_accuracy", "seconds", *BILL, "parameters", "flops", "on_front"),
    *("name", "kernels", "kernel_size", "pooling", "batch_norm", "flat_dropout", "dense"),
    *("activation", "optimizer", "learning_rate", "schedule", "batch_size", "augmentation"),
    *("val_balanced_accuracy", "train_accuracy", "seed", "design_id"),
)
MOST_SHOWN = 40
SHOWN = ("seconds", *BILL, "parameters", "flops", "on_front", "name", "kernels", "dense")
RULE = (
    "A row is a design trained for just so many epochs. It is on the front if no other row is at "
    "least as accurate for no more training time and better at one of the two; it is near the "
    "front within 1 percentage point of what the front gives at its cost. Seconds are those of "
    "training, summed over workers, evaluation excluded. What a trial has on its way to the "
    "end of a learning rate schedule, or of one of its cycles, is no result and has no row."
)


def accuracy_cost_table(
    points: pd.DataFrame, held_out: str, accuracies: Accuracies = PLAIN
) -> Table:
    """The points (frames.points) on or near the front, cheapest first."""
    marked = with_front(points, accuracies.column)
    near = marked[marked["near_front"]].reset_index(drop=True)
    shown = near if len(near) <= MOST_SHOWN else near[near["on_front"]].tail(MOST_SHOWN)
    return Table(
        name="accuracy_vs_cost",
        title="Points on or near the front",
        frame=near[list(COLUMNS)],
        rule=f"{RULE} Accuracies are on the {held_out} images.{accuracies.rule}",
        shown=shown[["trial", "epochs", *accuracies.columns, *SHOWN]],
    )

"""Tables of the winner's test scores: confusion matrix, scores by class, most confused pairs."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.tables.table_files import Table

Metrics = dict[str, Any]
"""metrics.json, as of models.training.scoring.classification_metrics."""
MOST_PAIRS = 5


def confusion_table(metrics: Metrics) -> Table:
    """Counts: a row an actual class, a column a predicted one."""
    names = class_names(metrics)
    frame = pd.DataFrame(metrics["confusion"], columns=names)
    frame.insert(0, "actual \\ predicted", names, allow_duplicates=True)
    return Table(
        name="confusion",
        title="Confusion matrix",
        frame=frame,
        rule=(
            f"Of the {metrics['images']:,} test images, how many of the class of the row were "
            "taken for the class of the column; right ones stand on the diagonal."
        ),
    )


def class_table(metrics: Metrics) -> Table:
    """Precision, recall, F1 and support of each class, then their macro and weighted means."""
    rows = [{"number": number, **row} for number, row in enumerate(metrics["classes"])]
    rows += [
        {"class": f"{average} mean", **metrics[average], "support": metrics["images"]}
        for average in ("macro", "weighted")
    ]
    columns = ["class", "precision", "recall", "f1", "support", "number"]
    return Table(
        name="classes",
        title="Precision, recall and F1",
        frame=pd.DataFrame(rows, columns=columns, dtype=object),
        rule=(
            "Precision: which share of the images taken for a class are of it. Recall: which share "
            "of the images of a class were taken for it. F1: their harmonic mean. Support: test "
            "images of the class. The macro mean counts each class alike, the weighted one by its "
            "support. Number: the class's place among the network's outputs, from 0, by which "
            "figures call it where no font has its letters, or another's long name begins alike."
        ),
    )


def balanced_accuracy(metrics: Metrics) -> float:
    """The mean recall of the classes that have test images; an older metrics.json lacks it."""
    there = [row["recall"] for row in metrics["classes"] if row["support"]]
    known = metrics.get("balanced_accuracy")
    return sum(there) / max(len(there), 1) if known is None else float(known)


def confused_pairs_table(metrics: Metrics) -> Table:
    """The pairs of classes most confused with each other, both directions beside each other."""
    names, counts = class_names(metrics), np.array(metrics["confusion"])
    mistakes = int(counts.sum() - np.trace(counts))
    pairs = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))]
    pairs.sort(key=lambda pair: (-(counts[pair] + counts[pair[::-1]]), pair))
    rows = [
        {
            "class_a": names[a],
            "class_b": names[b],
            "a_taken_for_b": int(counts[a, b]),
            "b_taken_for_a": int(counts[b, a]),
            "mistakes": int(counts[a, b] + counts[b, a]),
            "percent_of_mistakes": 100 * (counts[a, b] + counts[b, a]) / mistakes,
        }
        for a, b in pairs[:MOST_PAIRS]
        if counts[a, b] + counts[b, a]
    ]
    columns = ["class_a", "class_b", "a_taken_for_b", "b_taken_for_a", "mistakes"]
    return Table(
        name="confused_pairs",
        title="Most confused pairs",
        frame=pd.DataFrame(rows, columns=[*columns, "percent_of_mistakes"]),
        rule=(
            f"At most {MOST_PAIRS} pairs, by the sum of both directions, out of {mistakes:,} "
            "mistakes on the test images."
        ),
    )


def class_names(metrics: Metrics) -> list[str]:
    """The classes in the order of the confusion matrix."""
    return [str(row["class"]) for row in metrics["classes"]]

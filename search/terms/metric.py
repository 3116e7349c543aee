"""The objective metric of a search, on the validation images: accuracy or balanced accuracy."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

Metric = Literal["accuracy", "balanced_accuracy"]
METRICS: tuple[Metric, ...] = get_args(Metric)


def column_of(metric: Metric) -> str:
    """The field of an epoch line, and the column of a table, that holds the metric."""
    return f"val_{metric}"


def score_of(line: Mapping[str, Any], metric: Metric) -> float | None:
    """The metric's value in an epoch line, 0..1; None where training diverged, or where the metric
    was not measured."""
    return line.get(column_of(metric))


def metric_of(start: Mapping[str, Any]) -> Metric:
    """The metric that a session optimises, from its start line in the ledger; ValueError for an
    unknown name."""
    named = start.get("objective_metric", "accuracy")
    for metric in METRICS:
        if metric == named:
            return metric
    raise ValueError(f"objective_metric is {named!r}: one of {', '.join(METRICS)}")


def tell(line: Mapping[str, Any], metric: Metric, *, both: bool) -> str:
    """Formats the accuracy of an epoch line, and the balanced accuracy with `both` or where it is
    the objective: "97.0%", or "97.0%, balanced 52.1%"."""
    return tell_both(line["val_accuracy"], line.get("val_balanced_accuracy"), metric, both=both)


def tell_both(accuracy: float, balanced: float | None, metric: Metric, *, both: bool) -> str:
    """Formats accuracy and balanced accuracy (0..1) as `tell` does; the objective comes first."""
    if balanced is None or not (both or metric == "balanced_accuracy"):
        return f"{accuracy:.1%}"
    if metric == "balanced_accuracy":
        return f"balanced {balanced:.1%}, accuracy {accuracy:.1%}"
    return f"{accuracy:.1%}, balanced {balanced:.1%}"

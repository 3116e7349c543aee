"""The accuracy metric a run optimised, and whether balanced accuracy is reported beside it."""

from typing import NamedTuple

import pandas as pd

from analysis.run.quantities import percent
from search.terms.metric import Metric, column_of


class Accuracies(NamedTuple):
    """Which accuracies a run's tables and sentences show."""

    metric: Metric = "accuracy"
    """The metric that the search optimised: points, front, knee and winner go by it."""
    uneven: bool = False
    """Whether classes differ so much in size that balanced accuracy is reported beside accuracy."""

    @property
    def column(self) -> str:
        """Column of the optimised metric in a frame of points."""
        return column_of(self.metric)

    @property
    def name(self) -> str:
        """Name of the optimised metric in a sentence."""
        return self.metric.replace("_", " ")

    @property
    def rule(self) -> str:
        """Sentence for a table's rule where the optimised metric is not accuracy; else empty."""
        if self.metric == "accuracy":
            return ""
        return " What counts here is balanced accuracy, the mean of the classes' recalls."

    @property
    def columns(self) -> tuple[str, ...]:
        """Accuracy columns that tables show."""
        both = self.uneven or self.metric == "balanced_accuracy"
        return ("val_accuracy", "val_balanced_accuracy") if both else ("val_accuracy",)

    def tell(self, row: pd.Series, digits: int = 1) -> str:
        """The accuracy of a point as text; where both are reported, the optimised one comes
        first."""
        return self.tell_both(row["val_accuracy"], row.get("val_balanced_accuracy"), digits)

    def tell_both(self, accuracy: float, balanced: float | None, digits: int = 1) -> str:
        """The same of two numbers; `balanced` may be missing (None or NaN)."""
        if len(self.columns) == 1 or balanced is None or balanced != balanced:
            return percent(accuracy, digits)
        if self.metric == "balanced_accuracy":
            return (
                f"{percent(balanced, digits)} balanced accuracy "
                f"(accuracy {percent(accuracy, digits)})"
            )
        return f"{percent(accuracy, digits)} (balanced accuracy {percent(balanced, digits)})"


PLAIN = Accuracies()

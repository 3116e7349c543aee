"""The options of the commands of analysis/, a frozen dataclass for each.

The line under an option is its help.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

Amount = Annotated[float | None, arg(metavar="X", help_behavior_hint="")]


@dataclass(frozen=True)
class ReportOptions:
    """Tables, figures and one self-contained HTML page of a run."""

    run: Positional[Annotated[str | None, arg(metavar="RUN", help_behavior_hint="")]] = None
    """A run's name or folder (default: the newest run)."""

    out: Path = Path("runs")
    """Folder that holds runs."""


@dataclass(frozen=True)
class RecommendOptions(ReportOptions):
    """The design to take: the cheapest to train that reaches --min-accuracy, else the most
    accurate one within the limits. At least one limit is needed."""

    min_accuracy: Amount = None
    """Least accuracy, 0 to 1; balanced accuracy, where the search went by that."""

    max_cost: Amount = None
    """Most cost of training, in units of the search's --price."""

    max_parameters: Amount = None
    """Most trainable parameters."""

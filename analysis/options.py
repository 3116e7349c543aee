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


@dataclass(frozen=True)
class PredictOptions:
    """The class of each image, with its probability, by the network that a run chose.

    Images are brought to the form in which the network was trained. Of those in folders that are
    named after classes, as in DIR/test, the accuracy is told.
    """

    run: Positional[Annotated[str, arg(metavar="RUN")]]
    """A run's name or folder."""

    images: Positional[Annotated[tuple[Path, ...], arg(metavar="IMAGE|DIR ...")]] = ()
    """Image files, and folders of images, with all below them."""

    csv: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Write a table with the probability (0 to 1) of each class instead of printing lines."""

    top: Annotated[int, arg(metavar="N")] = 3
    """How many classes are printed for each image, the most probable first."""

    out: Path = Path("runs")
    """Folder that holds runs."""

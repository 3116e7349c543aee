"""Tables of recorded learning curves (a tabular benchmark), their file format and search space.

Long format, a csv (or .csv.gz) with a row for each configuration and epoch: config_id (0 to n-1),
epoch (1 to T), one or more numeric hyperparameters, val_accuracy (0 to 1), and seconds, the cost of
that one epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.terms.actions import Suggest

Array = NDArray[np.float64]
Point = tuple[float, ...]
"""A configuration: a value for each hyperparameter column."""

REQUIRED = ("config_id", "epoch", "val_accuracy", "seconds")
LOG_RATIO = 50
"""A positive column has a logarithmic scale where its largest value is more than so many times its
smallest."""


@dataclass(frozen=True)
class CurveTable:
    """Recorded learning curves of n configurations over T epochs."""

    name: str
    columns: tuple[str, ...]
    points: Array
    """Hyperparameters, (n, d)."""
    accuracies: Array
    """Validation accuracies, 0..1, (n, T)."""
    seconds: Array
    """Seconds of each epoch alone, (n, T)."""

    @property
    def epochs(self) -> int:
        """The number of epochs T."""
        return self.accuracies.shape[1]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def full_cost(self) -> float:
        """Mean seconds of a full training."""
        return float(self.seconds.sum(1).mean())


def name_of(path: Path) -> str:
    """The name of the table in file `path`: the file name without suffixes."""
    return path.name.split(".")[0]


def read(path: Path) -> CurveTable:
    """Reads the table in file `path`; ValueError for a file that cannot be read or is malformed."""
    try:
        frame = pd.read_csv(path)
    except (OSError, UnicodeDecodeError, EOFError, pd.errors.ParserError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a table: {error}") from error
    missing = [column for column in REQUIRED if column not in frame]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]}")
    columns = [str(column) for column in frame if column not in REQUIRED]
    if not columns:
        raise ValueError(f"{path} has no hyperparameter column")
    wrong = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
    if wrong or frame.isna().any(axis=None):
        raise ValueError(f"{path}: column {(wrong or ['?'])[0]} has a value that is not a number")
    frame = frame.sort_values(["config_id", "epoch"])
    configurations, epochs = frame["config_id"].nunique(), int(frame["epoch"].max())
    whole = np.tile(np.arange(1, epochs + 1), configurations)
    if len(frame) != len(whole) or (frame["epoch"].to_numpy() != whole).any():
        raise ValueError(f"{path}: every configuration needs the epochs 1 to {epochs}, each once")
    if not frame["val_accuracy"].between(0, 1).all() or (frame["seconds"] <= 0).any():
        raise ValueError(f"{path}: val_accuracy is 0 to 1, seconds are more than 0")
    shape = (configurations, epochs)
    return CurveTable(
        name=name_of(path),
        columns=tuple(columns),
        points=frame[columns].to_numpy(float).reshape(*shape, -1)[:, 0],
        accuracies=frame["val_accuracy"].to_numpy(float).reshape(shape),
        seconds=frame["seconds"].to_numpy(float).reshape(shape),
    )


class TableSpace:
    """The bounding box of a table's configurations as a `Space` of search/terms/actions.py."""

    def __init__(self, table: CurveTable) -> None:
        self._columns = table.columns
        self.low, self.high = table.points.min(0), table.points.max(0)
        positive = np.where(self.low > 0, self.low, 1.0)
        self.log = (self.low > 0) & (self.high / positive > LOG_RATIO)
        self._begin, self._end = self._scaled(self.low), self._scaled(self.high)
        self._epochs = table.epochs

    @property
    def max_epochs(self) -> int:
        """The number of epochs T of the table."""
        return self._epochs

    def sample(self, suggest: Suggest) -> Point:
        """A point of the box: a value for each column from `suggest`."""
        return tuple(
            suggest.suggest_float(name, float(low), float(high), log=bool(log))
            for name, low, high, log in zip(
                self._columns, self.low, self.high, self.log, strict=True
            )
        )

    def answers(self, design: Point) -> Mapping[str, Any]:
        """The values of a point by column."""
        return dict(zip(self._columns, design, strict=True))

    def coordinates(self, design: Point) -> Array:
        """A point's feature vector (d,): each column scaled to 0..1, on its scale."""
        return self.place(np.array(design))

    def place(self, points: Array) -> Array:
        """Points (..., d) with each column scaled to 0..1, on its linear or logarithmic scale."""
        return (self._scaled(points) - self._begin) / np.where(
            self._end > self._begin, self._end - self._begin, 1.0
        )

    def epochs(self, design: Point) -> int:
        """The number of epochs T of the table, for every design."""
        return self._epochs

    def is_result(self, design: Point, epoch: int) -> bool:
        """True: each epoch of a recorded curve counts as a result."""
        return True

    def work(self, design: Point) -> Array:
        """(): a table does not tell what its seconds come from."""
        return np.empty(0)

    def persistence(self, design: Point) -> float:
        """1: a table does not tell."""
        return 1.0

    def in_one_cycle(self, design: Point, epochs: int) -> Point:
        """The design itself: a table has one curve of each."""
        return design

    def _scaled(self, values: Array) -> Array:
        return np.where(self.log, np.log(np.where(self.log, values, 1.0)), values)

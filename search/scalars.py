"""Writes each trial's epochs as TensorBoard events, one TensorBoard run a trial."""

from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter

from search.state import Trial

SCALARS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "images_per_second")


class Scalars:
    """Events in `run`/tensorboard."""

    def __init__(self, run: Path) -> None:
        self._folder = run / "tensorboard"
        self._writers: dict[int, Any] = {}

    def epoch(self, trial: Trial) -> None:
        """The newest epoch of `trial`."""
        if trial.trial not in self._writers:
            name = f"{trial.trial:04d}-{trial.name or trial.design.id}"
            self._writers[trial.trial] = SummaryWriter(str(self._folder / name))
        line = trial.epochs[-1]
        for scalar in SCALARS:
            if line[scalar] is not None:
                self._writers[trial.trial].add_scalar(scalar, line[scalar], line["epoch"])

    def end(self, trial: Trial) -> None:
        """`trial` has ended."""
        if trial.trial in self._writers:
            self._writers.pop(trial.trial).close()

"""What a run measured about the transcript's designs, as claims ask for it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis import measured
from analysis.run_folder import Run
from search.state import Trial

SHAPE = (3, 32, 32)
CLASSES = 10
TRAIN_IMAGES = 50_000


class NotTried(Exception):
    """The run cannot tell whether the claim holds; the message says why."""


class Diverged(Exception):
    """The design's loss was no number any more."""


@dataclass(frozen=True)
class Evidence:
    """The transcript's designs as a run trained them, and the winner's scores."""

    trials: dict[str, Trial]
    """By the design's name; of several the one with most epochs, then the first."""
    other_images: str
    """Why the images are not those of the transcript; empty if they may be."""
    fewer_images: str
    """Why less was trained on than in the transcript; empty if all of it."""
    winner: str
    """The name of the winner's design."""
    metrics: dict[str, Any]

    def trial(self, name: str) -> Trial:
        """The trial of design `name`; NotTried if there is none, or on other images."""
        if name not in self.trials:
            raise NotTried("not run")
        if self.other_images:
            raise NotTried(self.other_images)
        return self.trials[name]

    def curve(self, name: str, epochs: int) -> pd.DataFrame:
        """Its epochs by number, at least `epochs` of them, or NotTried or Diverged."""
        trial = self.trial(name)
        if self.fewer_images:
            raise NotTried(self.fewer_images)
        frame = measured.epochs(trial).set_index("epoch")
        lost = frame[frame["val_accuracy"].isna()]
        if len(lost):
            raise Diverged(f"diverged in epoch {lost.index[0]}")
        if len(frame) < epochs:
            raise NotTried(f"{len(frame)} of {epochs} epochs")
        return frame

    def confusion(self, name: str, epochs: int) -> dict[tuple[str, str], int]:
        """Test images of one class taken for another, by (actual, predicted).

        NotTried unless `name` was trained for so many epochs, won and was scored.
        """
        self.curve(name, epochs)
        if self.winner != name or not self.metrics:
            raise NotTried("only the winner has a confusion matrix")
        names = [str(row["class"]) for row in self.metrics["classes"]]
        if not {"cat", "dog", "bird", "frog"} <= set(names):
            raise NotTried("other classes")
        counts = self.metrics["confusion"]
        return {
            (actual, predicted): int(counts[row][column])
            for row, actual in enumerate(names)
            for column, predicted in enumerate(names)
            if row != column
        }


def gather(run: Run, winner: int | None, metrics: dict[str, Any]) -> Evidence:
    """The evidence in `run`, whose winner is trial number `winner` with `metrics`."""
    trials: dict[str, Trial] = {}
    for number in sorted(run.state.trials):
        trial = run.state.trials[number]
        held = trials.get(trial.name)
        if trial.name and (held is None or len(trial.epochs) > len(held.epochs)):
            trials[trial.name] = trial
    dataset = run.record["dataset"]
    shape, classes = dataset.get("shape"), dataset.get("classes") or ()
    other = ""
    if shape is not None and (tuple(shape) != SHAPE or len(classes) != CLASSES):
        other = f"on {dataset.get('name', 'other images')}, not on CIFAR-10"
    used = run.record.get("train_images")
    fewer = ""
    if used is not None and used < TRAIN_IMAGES:
        fewer = f"trained on {used:,} of {TRAIN_IMAGES:,} images"
    won = run.state.trials.get(-1 if winner is None else winner)
    return Evidence(trials, other, fewer, won.name if won else "", metrics)

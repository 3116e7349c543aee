"""Evidence for the transcript's claims: a run's trials, learning curves and confusion counts."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.run import frames
from analysis.run.run_folder import Run
from models.design import Design, to_dict
from models.transcript import TRANSCRIPT
from search.record.state import Trial

SHAPE = (3, 32, 32)
CLASSES = frozenset(
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
)
TRAIN_IMAGES, TEST_IMAGES = 50_000, 10_000


class NotTried(Exception):
    """The run cannot decide the claim; the message says why."""


class Diverged(Exception):
    """The design's training diverged: its loss was no finite number any more."""


@dataclass(frozen=True)
class Evidence:
    """The transcript's designs as a run trained them, and the winner's scores."""

    trials: dict[str, Trial]
    """By the design's name; of several the one with most epochs, then the first."""
    other_images: str
    """Why the images are not those of the transcript; empty if they may be."""
    other_parts: str
    """Why training or scoring took other parts of them than in the transcript; empty if it did
    not."""
    winner: str
    """The name of the winner's design."""
    metrics: dict[str, Any]

    def trial(self, name: str) -> Trial:
        """The trial of design `name`.

        NotTried if there is none, if it is on other images, or if its design differs from the
        transcript's.
        """
        if name not in self.trials:
            raise NotTried("not run")
        other = self.other_images or _other_design(self.trials[name].design, TRANSCRIPT.get(name))
        if other:
            raise NotTried(other)
        return self.trials[name]

    def curve(self, name: str, epochs: int) -> pd.DataFrame:
        """The trial's epoch metrics by epoch, until it diverged.

        NotTried or Diverged where they are fewer than `epochs`.
        """
        trial = self.trial(name)
        if self.other_parts:
            raise NotTried(self.other_parts)
        frame = frames.epochs(trial).set_index("epoch")
        lost = frame["val_accuracy"].isna()
        sound = frame[~lost.cummax()]
        if len(sound) < epochs and lost.any():
            raise Diverged(f"diverged in epoch {lost.idxmax()}")
        if len(sound) < epochs:
            raise NotTried(f"{len(sound)} of {epochs} epochs")
        return sound

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
    won = run.state.trials.get(-1 if winner is None else winner)
    name = won.name if won else ""
    return Evidence(trials, _other_images(run), _other_parts(run), name, metrics)


def _other_images(run: Run) -> str:
    dataset = run.record["dataset"]
    shape, classes = dataset.get("shape"), dataset.get("classes")
    if shape is None or classes is None:
        return "on images that are not recorded"
    if tuple(shape) != SHAPE or frozenset(classes) != CLASSES:
        return f"on {dataset.get('name', 'other images')}, not on CIFAR-10"
    return ""


def _other_parts(run: Run) -> str:
    used = run.record.get("train_images")
    if used is None:
        return "how many images were trained on is not recorded"
    if used < TRAIN_IMAGES:
        return f"trained on {used:,} of {TRAIN_IMAGES:,} images"
    if used > TRAIN_IMAGES:
        return f"trained on {used:,} images, not on {TRAIN_IMAGES:,}"
    if run.held_out != "test":
        return f"scored on the {run.held_out} images, not on the test images"
    scored = run.record["dataset"].get("test_count", TEST_IMAGES)
    return "" if scored == TEST_IMAGES else f"scored on {scored:,} images, not on {TEST_IMAGES:,}"


def _other_design(design: Design, known: Design | None) -> str:
    """The first field in which a trial's design differs from the transcript's; empty if none does.

    With a constant learning rate the number of epochs may differ, for each epoch is a result.
    """
    if known is None:
        return ""
    own, its = to_dict(design), to_dict(known)
    for field in own:
        free = field == "epochs" and design.schedule == "constant"
        if own[field] != its[field] and not free:
            return f"trained with {field} {own[field]}, not {its[field]}"
    return ""

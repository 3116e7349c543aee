"""winner/README.md: the model card of a winner, with its data, figures, cost and limits.

After Mitchell et al., "Model Cards for Model Reporting" (arXiv 1810.03993).
"""

import math
from dataclasses import dataclass
from typing import Any

from models.data.dataset import Dataset
from models.data.names import readable
from models.quantities import count, duration, hours, number
from models.short_design import describe
from models.training.onnx_export import CHANNELS
from search.record.state import Trial
from search.terms.price import bill

Z = 1.959964
"""The standard normal quantile of a 95 % interval."""
WORST = 3
"""Classes with the lowest recall that are named."""


@dataclass(frozen=True)
class Search:
    """What a card tells of the search that found the network."""

    run: str
    trials: int
    price: float | None
    """Of a GPU-hour where workers have GPUs, else of a CPU-core-hour."""


def interval(accuracy: float, images: int) -> tuple[float, float]:
    """The 95 % interval of an accuracy on so many images (Wilson 1927)."""
    if not images:
        return 0.0, 1.0
    shrink = 1 + Z**2 / images
    middle = (accuracy + Z**2 / (2 * images)) / shrink
    half = Z * math.sqrt(accuracy * (1 - accuracy) / images + (Z / (2 * images)) ** 2) / shrink
    return middle - half, middle + half


def text(
    trial: Trial,
    dataset: Dataset,
    selected_on: tuple[str, int],
    metrics: dict[str, Any],
    search: Search,
) -> str:
    """The card in Markdown. `selected_on` names the images by which the network was chosen, and
    counts them; `metrics` are those on the test images, empty where it was not scored."""
    parts = [
        f"# A classifier of {count(len(dataset.classes), 'class', 'classes')}: "
        f"{readable(dataset.name)}",
        _what(trial, dataset, search),
        "## How good it is",
        _scores(trial, selected_on, metrics),
        *([_classes(metrics)] if metrics else []),
        "## What it cost",
        _cost(trial, metrics, search),
        "## Data",
        _data(dataset),
        "## Limits",
        _limits(dataset, selected_on, metrics, search),
    ]
    return "\n\n".join(parts) + "\n"


def _what(trial: Trial, dataset: Dataset, search: Search) -> str:
    channels, height, width = dataset.shape
    assert trial.best is not None
    return (
        f"{trial.title} of the search {readable(search.run)}: {describe(trial.design)}; "
        f"{trial.parameters:,} parameters, {trial.flops:,} floating-point operations an image. "
        f"Trained for {count(trial.best['epoch'], 'epoch')} from seed {trial.seed}.\n\n"
        f"It takes images of {width}x{height} pixels, {CHANNELS.get(channels, str(channels))}. "
        "`model.onnx` and `model.pt2` (torch.export) take float32 pixels in 0..1, any further "
        "normalisation inside, and give logits; `classify.py` shows how; `weights.pt` and "
        "`design.json` are for kneepoint itself."
    )


def _scores(trial: Trial, selected_on: tuple[str, int], metrics: dict[str, Any]) -> str:
    assert trial.best is not None
    held_out, images = selected_on
    rows = [
        "| images | accuracy | 95 % interval | |",
        "|---|---:|---:|---|",
        _score(f"{images:,} {held_out}", trial.best["val_accuracy"], images, "chosen by these"),
    ]
    if metrics:
        tested = metrics["images"]
        rows.append(_score(f"{tested:,} test", metrics["accuracy"], tested, "opened once"))
    return "\n".join(rows)


def _score(what: str, accuracy: float, images: int, note: str) -> str:
    low, high = interval(accuracy, images)
    return f"| {what} | {accuracy:.2%} | {low:.2%} to {high:.2%} | {note} |"


def _classes(metrics: dict[str, Any]) -> str:
    seen = [each for each in metrics["classes"] if each["support"]]
    worst = sorted(seen, key=lambda each: float(each["recall"]))[:WORST]
    told = ", ".join(f"{readable(each['class'])} {each['recall']:.1%}" for each in worst)
    return (
        f"Mean recall of the classes {metrics['balanced_accuracy']:.2%}, mean F1 "
        f"{metrics['macro']['f1']:.4f}. Of these classes the fewest test images are recognised: "
        f"{told}. All are in `metrics.json`, with the confusion matrix."
    )


def _cost(trial: Trial, metrics: dict[str, Any], search: Search) -> str:
    assert trial.best is not None
    seconds = trial.train_seconds(trial.best["epoch"])
    used = bill(seconds, trial.cpus_per_worker, trial.gpus_per_worker, search.price)
    device = hours(used.cpu_core_hours, "core")
    if used.gpu_hours is not None:
        device = hours(used.gpu_hours, "GPU")
    money = "" if used.cost is None else f", {number(used.cost)} in money"
    told = (
        f"This training: {duration(seconds)} of its workers ({device}{money}); the search that "
        f"found the design trained {count(search.trials, 'trial')}."
    )
    if metrics:
        told += (
            f" A prediction: {duration(metrics['prediction_seconds_per_image'])} an image, in "
            f"batches of {metrics['prediction_batch']}, on {metrics['prediction_device']}."
        )
    return told


def _data(dataset: Dataset) -> str:
    lines = [
        f"{readable(dataset.name)}: {count(dataset.train_count, 'image')} to train and validate, "
        f"{dataset.test_count:,} to test. Classes: {', '.join(map(readable, dataset.classes))}.",
        *(f"- {readable(notice)}" for notice in dataset.notices),
        f"Fingerprint of the decoded images: `{dataset.fingerprint[:16]}`.",
    ]
    return "\n\n".join(lines)


def _limits(
    dataset: Dataset,
    selected_on: tuple[str, int],
    metrics: dict[str, Any],
    search: Search,
) -> str:
    _, height, width = dataset.shape
    lines = [
        f"- It was chosen among {count(search.trials, 'trial')} by the {selected_on[0]} images, so "
        "that its accuracy on those is too rosy.",
        "- The intervals are those of a sample of images. A training from another seed differs "
        "besides.",
        f"- All that it knows is images like those above, brought to {width}x{height} pixels. An "
        "image of none of its classes is taken for one of them all the same.",
    ]
    if not metrics:
        lines.insert(0, "- Not scored on the test images yet: the search was cut.")
    return "\n".join(lines)

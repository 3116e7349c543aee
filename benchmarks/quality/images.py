"""What both comparisons share: their options, the images, and the score of a network on the test
images."""

import argparse
from dataclasses import dataclass

import torch

from models.data.dataset import Dataset, Source, load, prepare
from models.data.images import Subset
from models.data.selection import select, subsets, trained_on
from models.training.scoring import predict
from models.training.training_run import Training
from search.terms import budget


@dataclass(frozen=True)
class Compared:
    """The options of a comparison, with the images."""

    dataset: Dataset
    train: Subset
    validation: Subset
    seconds: float
    """Wall-clock time that it may take."""
    seed: int


def compared(command: str, description: str) -> Compared:
    """Reads the command line, and the images."""
    parser = argparse.ArgumentParser(prog=f"python -m {command}", description=description)
    parser.add_argument(
        "--data-dir", help="folder of images, as run.py takes it (default: CIFAR-10, downloaded)"
    )
    parser.add_argument("--budget", default="20min", help="wall-clock time (default: 20min)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        seconds = budget.parse([options.budget]).seconds
        dataset = prepare(Source(data_dir=options.data_dir))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if seconds == float("inf"):
        parser.error(f"--budget {options.budget}: a time, such as 20min")
    selection = select(dataset, None, "validation")
    dataset = trained_on(dataset, selection)
    train, validation = subsets(dataset, selection)
    return Compared(dataset, train, validation, seconds, options.seed)


def test_accuracy(training: Training, dataset: Dataset) -> float:
    """The accuracy of a trained network on the test images."""
    images = load(dataset, "test")
    network, device = training.network, torch.device("cpu")
    found = predict(network, images, training.design, dataset, device)
    return float((found == images.labels.numpy()).mean())

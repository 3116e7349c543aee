"""`python analysis/predict.py RUN IMAGE...`: what a run's winner takes images for."""

import contextlib
import csv
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from analysis.options import PredictOptions
from analysis.run import given_images, run_folder, winner_folder
from analysis.run.given_images import GivenImage
from analysis.run.predictions import BATCH, probabilities
from analysis.run.quantities import count
from analysis.run.run_folder import RunError
from analysis.run.winner_folder import Winner
from models.data.names import readable
from search.cli import command_line
from search.cli.standard_output import unbroken

Tell = Callable[[GivenImage, NDArray[np.float64]], None]
"""Called with each image and the probabilities (classes,) of its class."""


@unbroken
def main(arguments: Sequence[str] | None = None) -> int:
    """Prints or writes the classes of images; exit status 2 on bad input."""
    words = sys.argv[1:] if arguments is None else arguments
    chosen = command_line.parse(PredictOptions, words, "python analysis/predict.py")
    try:
        _predict(chosen)
    except RunError as error:
        return command_line.refuse(str(error))
    except OSError as error:
        return command_line.refuse(f"{chosen.csv} cannot be written: {error}")
    return 0


def _predict(chosen: PredictOptions) -> None:
    if not chosen.images:
        raise RunError("give images, or folders of images")
    if chosen.top < 1:
        raise RunError(f"--top {chosen.top}: at least 1")
    run = run_folder.read(run_folder.find(chosen.run, chosen.out))
    winner = winner_folder.read(run.folder / "winner")
    if winner is None or winner.network is None:
        raise RunError(f"run {run.name} has no winner yet: its search has not ended")
    images = given_images.find(chosen.images, winner.classes)
    right = known = 0
    batches = probabilities(run, winner, [each.path for each in images])
    with _output(chosen, winner, images) as tell:
        for rows, found in track(
            batches,
            "Predicting",
            total=-(-len(images) // BATCH),
            console=Console(stderr=True),
            disable=not (sys.stderr.isatty() and len(images) > BATCH),
            transient=True,
        ):
            for image, each in zip(images[rows], found, strict=True):
                tell(image, each)
                known += image.label is not None
                right += image.label == int(each.argmax())
    if known:
        told = "whose folder tells the class" if known < len(images) else "in folders of classes"
        print(
            f"{count(right, 'image')} of {known:,} {told} {'is' if right == 1 else 'are'} "
            f"taken for what they are: accuracy {right / known:.4f}"
        )


@contextlib.contextmanager
def _output(chosen: PredictOptions, winner: Winner, images: Sequence[GivenImage]) -> Iterator[Tell]:
    """What takes the predictions: the terminal, a line an image, or a csv file."""
    if chosen.csv is None:
        width = min(60, max(len(_name(each)) for each in images))
        yield lambda image, each: print(_line(image, each, winner.classes, chosen.top, width))
        return
    with chosen.csv.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        each_class = [f"p_{name}" for name in winner.classes]
        table.writerow(["image", "folder_class", "class", "probability", *each_class])
        yield lambda image, each: table.writerow(_row(image, each, winner.classes))
    print(f"{count(len(images), 'image')} in {chosen.csv}")


def _line(
    image: GivenImage, each: NDArray[np.float64], classes: Sequence[str], top: int, width: int
) -> str:
    best = np.argsort(-each, kind="stable")[:top]
    told = "  ".join(f"{classes[number]} {each[number]:.1%}" for number in best)
    return f"{_name(image).ljust(width)}  {told}"


def _row(image: GivenImage, each: NDArray[np.float64], classes: Sequence[str]) -> list[str]:
    best = int(each.argmax())
    label = "" if image.label is None else classes[image.label]
    return [_name(image), label, classes[best], f"{each[best]:.6f}", *(f"{p:.6f}" for p in each)]


def _name(image: GivenImage) -> str:
    return readable(str(image.path))


if __name__ == "__main__":
    sys.exit(main())

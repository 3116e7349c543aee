"""Exports the trials of a finished run as a table of recorded learning curves, for replays."""

import csv
from pathlib import Path

from models.quantities import count
from search.record import run_folder
from search.record.state import load
from search.space.coordinates import NAMES, coordinates
from search.terms.metric import score_of


def write(run: Path, path: Path) -> int:
    """Writes a run's trials to `path` in the format of search/replay/curve_table.py; returns their
    number.

    These are the trials with as many results as the longest one, since a table has a result at
    every epoch; ValueError where there are fewer than two. The hyperparameter columns are those
    coordinates of the designs that vary.
    """
    folder = run_folder.find(run.parent, run.name)
    trials = [trial for trial in load(folder).trials.values() if trial.epochs]
    longest = max((len(trial.points) for trial in trials), default=0)
    full = [trial for trial in trials if len(trial.points) == longest]
    if len(full) < 2:
        raise ValueError(
            f"{run}: {count(len(full), 'trial')} with a result after each of {longest} epochs; "
            "2 are needed"
        )
    places = [coordinates(trial.design) for trial in full]
    varying = [i for i in range(len(NAMES)) if len({place[i] for place in places}) > 1]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = [NAMES[i] for i in varying]
        writer.writerow(["config_id", "epoch", *names, "val_accuracy", "seconds"])
        for number, (trial, place) in enumerate(zip(full, places, strict=True)):
            values = [f"{place[i]:.6g}" for i in varying]
            for line in trial.epochs:
                score = score_of(line, trial.metric)
                result = [f"{score:.6g}", f"{line['train_seconds']:.6g}"]
                writer.writerow([number, line["epoch"], *values, *result])
    return len(full)

"""Findings of a run, for report and recommendation: points, Pareto front, knee, winner."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.run import frames, run_folder, winner_folder
from analysis.run.labels import trial_label
from analysis.run.run_folder import Run, RunError
from analysis.run.winner_folder import Winner
from analysis.tables import front_points, knee
from analysis.tables.knee import Knee
from search.record.state import Trial


@dataclass(frozen=True)
class Findings:
    """The results of a run so far."""

    run: Run
    points: pd.DataFrame
    """frames.points with on_front and near_front, cheapest first."""
    knee: Knee
    winner: Winner | None
    """What stands in winner/; None in a run that is not finished."""
    best: Trial | None
    """The winner's trial; while there is no winner, the trial that leads."""
    epoch: int | None
    """The best trial's epoch that counts."""

    @property
    def best_name(self) -> str:
        """The label of the best trial."""
        return trial_label(self.best.trial, self.best.name) if self.best else "none"

    @property
    def best_title(self) -> str:
        """The same, with its design in a few words where it has no name."""
        return self.best.title if self.best else "none"

    @property
    def front(self) -> pd.DataFrame:
        """The points on the front, cheapest first."""
        return self.points[self.points["on_front"]]

    @property
    def best_point(self) -> pd.Series | None:
        """The best trial's point at the epoch that counts."""
        if self.best is None:
            return None
        of_best = self.points["trial"] == self.best.trial
        rows = self.points[of_best & (self.points["epochs"] == self.epoch)]
        return rows.iloc[0] if len(rows) else None


def gather(run: Run) -> Findings:
    """The findings of `run`; RunError where its winner is damaged or not in its ledger."""
    column = run.accuracies.column
    points = front_points.with_front(frames.points(run), column)
    winner = winner_folder.read(run.folder / "winner")
    best = run.state.winner
    epoch = best.best["epoch"] if best and best.best else None
    if winner is not None:
        if winner.trial not in run.state.trials:
            raise RunError(f"winner/ of {run.folder} is trial {winner.trial}, not in the ledger")
        best, epoch = run.state.trials[winner.trial], winner.epoch
    return Findings(
        run=run,
        points=points,
        knee=knee.find(points[points["on_front"]], column),
        winner=winner,
        best=best,
        epoch=epoch,
    )


def read(name: str | None, out: Path) -> Findings:
    """The findings of the run called `name`; RunError as run_folder has it."""
    return gather(run_folder.read(run_folder.find(name, out)))

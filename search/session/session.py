"""The parts of a checked run that is ready to start: folder, data, plan, job and lease."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from models.data import class_counts
from models.data.dataset import Dataset
from models.data.selection import Selection
from search.cli.options import RunOptions
from search.session import run_storage
from search.session.jobs import Job
from search.storage.lease import Lease
from search.storage.store import Store
from search.strategy.stopping_rule import Stopping
from search.terms.budget import Budget
from search.terms.plan import Plan


@dataclass(frozen=True)
class Session:
    """One session of a run, after all checks: folder, storage, data, plan of lanes, job, lease."""

    folder: Path
    storage: Store | None
    """Holds the checkpoints and a copy of the folder; None where the folder has all."""
    options: RunOptions
    budget: Budget
    plan: Plan
    dataset: Dataset
    job: Job
    selection: Selection
    stopping: Stopping
    console: Console
    lease: Lease
    """The proof that this process alone trains the run."""

    @property
    def is_uneven(self) -> bool:
        """Whether classes differ so much in size that balanced accuracy is printed too."""
        return class_counts.is_uneven(class_counts.count_selected(self.dataset, self.selection))

    @property
    def checkpoints(self) -> Store:
        """The store of this run's checkpoints."""
        return run_storage.checkpoints(self.folder, self.storage)

    def kept(self) -> contextlib.AbstractContextManager[Store]:
        """The store of checkpoints; while entered the run's folder is copied to its storage."""
        return run_storage.kept(self.folder, self.storage, self.console, self.lease)

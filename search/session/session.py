"""What a run is made of, once all of it is known to be possible."""

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
    """A run that can begin: its folder, data, lanes, and what it trains."""

    folder: Path
    storage: Store | None
    """Of checkpoints, and of a copy of the folder."""
    options: RunOptions
    budget: Budget
    plan: Plan
    dataset: Dataset
    job: Job
    selection: Selection
    stopping: Stopping
    console: Console
    lease: Lease
    """That this process trains the run, and no other."""

    @property
    def is_uneven(self) -> bool:
        """Whether classes differ so much in size that balanced accuracy is told too."""
        return class_counts.is_uneven(class_counts.count_selected(self.dataset, self.selection))

    @property
    def checkpoints(self) -> Store:
        """Where this run's checkpoints lie."""
        return run_storage.checkpoints(self.folder, self.storage)

    def kept(self) -> contextlib.AbstractContextManager[Store]:
        """That store; while it is entered the run's folder is copied to its storage."""
        return run_storage.kept(self.folder, self.storage, self.console, self.lease)

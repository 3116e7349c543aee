"""What a session trains: a search's proposals, or the transcript's designs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from models.dataset import Dataset
from models.design import Design
from models.selection import ValidateOn
from models.transcript import TRANSCRIPT
from search import budget as budgets
from search.budget import Budget
from search.conversation import Proposer
from search.early_stop import Asha, never
from search.options import RunOptions, SearchOptions, TranscriptOptions
from search.proposer import ListProposer, OptunaProposer
from search.sources import check_data_options, require_positive
from search.space import Space
from search.state import Trial

KNOWN = ("cnn-1", "cnn-3")
"""Designs of the transcript with which a search begins."""
ON_CPU = ("ann-1", "ann-3", "cnn-1", "cnn-3", "cnn-5-dropout")
"""What is tried of the transcript where there is no accelerator: its last network is 300 epochs."""
REDUCTION = 4
EPOCHS_WITH_ACCELERATOR, EPOCHS_ON_CPU = 30, 10


@dataclass(frozen=True)
class Job:
    """Everything that a session trains but where and how."""

    command: Literal["search", "transcript"]
    proposer: Proposer
    goes_on: Callable[[Trial], bool]
    """Whether a trial is trained further after its newest epoch."""
    max_parameters: int | None
    notes: tuple[str, ...]
    """For people, in the plan."""

    @property
    def validate_on(self) -> ValidateOn:
        """Held-out training images, but for the transcript, which used the test images."""
        return "test" if self.command == "transcript" else "validation"


def check(options: RunOptions) -> Budget:
    """The budget of `options`; ValueError for an option that no run can have."""
    for name in ("max_epochs", "max_parameters", "trials"):
        require_positive(name, getattr(options, name, None))
    check_data_options(options)
    if options.price is not None and not 0 <= options.price < float("inf"):
        raise ValueError(f"--price {options.price}: 0 or more")
    if isinstance(options, TranscriptOptions):
        unknown = [name for name in options.names if name not in TRANSCRIPT]
        if unknown:
            raise ValueError(f"unknown design {unknown[0]!r}: one of {', '.join(TRANSCRIPT)}")
    if not isinstance(options, SearchOptions):
        return Budget()
    budget = budgets.parse(options.budget)
    if budget.money < float("inf") and not options.price:
        raise ValueError("--budget in money needs --price, the price of a GPU- or core-hour")
    return replace(budget, trials=min(budget.trials, options.trials or budget.trials))


def make_job(options: RunOptions, run: Path, dataset: Dataset, accelerated: bool) -> Job:
    """What `options` ask to be trained, in the run's folder `run`."""
    if isinstance(options, TranscriptOptions):
        return _transcript_job(options, accelerated)
    assert isinstance(options, SearchOptions)
    return _search_job(options, run, dataset, accelerated)


def _search_job(options: SearchOptions, run: Path, dataset: Dataset, accelerated: bool) -> Job:
    epochs = options.max_epochs or (EPOCHS_WITH_ACCELERATOR if accelerated else EPOCHS_ON_CPU)
    _, height, width = dataset.shape
    space = Space(epochs, height, width, frozenset(options.axes))
    known = [(name, TRANSCRIPT[name]) for name in KNOWN]
    early = f"after 1, {REDUCTION}, {REDUCTION**2}, ... epochs ASHA ends the worse trials"
    return Job(
        command="search",
        proposer=OptunaProposer(run / "study.log", space, options.searcher, options.seed, known),
        goes_on=Asha(epochs, REDUCTION).goes_on if options.scheduler == "asha" else never,
        max_parameters=options.max_parameters,
        notes=(
            f"designs: {' and '.join(KNOWN)} first, then what {options.searcher} proposes, "
            f"at most {epochs} epochs each",
            early if options.scheduler == "asha" else "no trial is ended early",
        ),
    )


def _transcript_job(options: TranscriptOptions, accelerated: bool) -> Job:
    names = options.names or (tuple(TRANSCRIPT) if accelerated else ON_CPU)
    designs = [(name, _shortened(TRANSCRIPT[name], options.max_epochs)) for name in names]
    return Job(
        command="transcript",
        proposer=ListProposer(designs),
        goes_on=never,
        max_parameters=None,
        notes=(
            "designs: " + ", ".join(f"{name} ({design.epochs} epochs)" for name, design in designs),
            "as in the transcript: trained on all training images, scored on the test images",
        ),
    )


def _shortened(design: Design, max_epochs: int | None) -> Design:
    return replace(design, epochs=min(design.epochs, max_epochs or design.epochs))

"""A search of our own over given designs, as benchmarks need it: lanes, ledger, checkpoints."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from models.dataset import Dataset
from models.design import Design
from models.selection import select
from models.training import Training
from search.budget import Budget
from search.conversation import Conversation
from search.fixed import InOrder
from search.follow import Follower
from search.lane import make_lane
from search.node_versions import versions
from search.plan import Plan
from search.recorder import Recorder
from search.scalars import Scalars
from search.state import SearchState, Trial
from search.store import Folder
from search.tune_loop import run_legs
from search.worker import TrialSettings


def train_in_lanes(
    run: Path,
    designs: Sequence[Design],
    dataset: Dataset,
    plan: Plan,
    *,
    make_training: Callable[..., Any] = Training,
    train_images: int | None = None,
    precision: str = "fp32",
    goes_on: Callable[[Trial], bool] = lambda trial: True,
    ended: Callable[[Trial], None] = lambda trial: None,
) -> SearchState:
    """Trains each design to its end on Ray, in the lanes of `plan`; what the ledger then says."""
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({}))
    strategy = InOrder(
        [(f"{number}", design) for number, design in enumerate(designs)],
        goes_on=lambda trial: goes_on(recorder.state.trials[trial]),
    )
    follow = Follower(strategy)
    classes = len(dataset.classes)
    recorder = Recorder(run, plan, None, dataset.shape, classes, Scalars(run), [follow])
    conversation = Conversation(
        strategy,
        recorder,
        Budget(),
        refuse=lambda design: "",
        lanes=lambda: plan.lanes,
        seed=0,
        say=ended,
        interrupted=lambda: False,
    )
    settings = TrialSettings(
        store=Folder(str(run.resolve())),
        dataset=dataset,
        selection=select(dataset, train_images, "validation"),
        precision=precision,
        device="auto" if plan.gpus_per_worker else "cpu",
        gpus_per_worker=plan.gpus_per_worker,
        threads=plan.cpus_per_worker,
        versions=versions(),
        make_training=make_training,
    )
    run_legs(conversation, lambda scratch: make_lane(settings, plan, scratch))
    recorder.close("end", conversation.ending.why)
    failed = [t.reason for t in recorder.state.trials.values() if t.state != "finished"]
    if failed:
        raise RuntimeError(f"{len(failed)} trials did not finish, the first: {failed[0]}")
    return recorder.state

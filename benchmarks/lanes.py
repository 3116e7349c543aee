"""Trains given designs in lanes, with ledger and checkpoints, for the other benchmarks."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from models.data.dataset import Dataset
from models.data.selection import select
from models.design import Design
from models.training.training_run import Training
from search.cluster.node_versions import versions
from search.lanes.lane_actor import make_lane
from search.lanes.worker import TrialSettings
from search.record.recorder import Recorder
from search.record.state import SearchState, Trial
from search.record.strategy_follower import Follower
from search.record.tensorboard_events import Scalars
from search.scheduling.leg_scheduler import LegScheduler
from search.scheduling.tune_loop import run_legs
from search.storage.store import Folder
from search.strategy.fixed_designs import FixedDesigns
from search.terms.budget import Budget
from search.terms.plan import Plan


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
    """Trains each design to its end on Ray, in the lanes of `plan`; the state of the ledger then.

    RuntimeError if a trial does not finish.
    """
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({}))
    strategy = FixedDesigns(
        [(f"{number}", design) for number, design in enumerate(designs)],
        goes_on=lambda trial: goes_on(recorder.state.trials[trial]),
    )
    follow = Follower(strategy)
    classes = len(dataset.classes)
    recorder = Recorder(run, plan, None, dataset.shape, classes, Scalars(run), [follow])
    scheduler = LegScheduler(
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
    run_legs(scheduler, lambda scratch: make_lane(settings, plan, scratch))
    recorder.close("end", scheduler.ending.why)
    failed = [t.reason for t in recorder.state.trials.values() if t.state != "finished"]
    if failed:
        raise RuntimeError(f"{len(failed)} trials did not finish, the first: {failed[0]}")
    return recorder.state

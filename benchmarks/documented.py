"""Baseline: the same trials in Ray's documented way, a TorchTrainer in each Tune function."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
import ray.train
import ray.tune
import torch
from ray.train.torch import TorchTrainer
from ray.tune.integration.ray_train import TuneReportCallback

from benchmarks.nothing import Nothing
from models import checkpoint
from models.design import Design, from_dict, to_dict
from models.training.device import FIXED
from search.terms.plan import Plan


def train_in_trainers(run: Path, designs: Sequence[Design], plan: Plan) -> float:
    """Trains all `designs`, `plan.lanes` at a time; the wall-clock seconds.

    RuntimeError unless each trial left a checkpoint.
    """
    run.mkdir(parents=True)
    workers = ray.train.ScalingConfig(
        num_workers=plan.workers_per_trial, resources_per_worker={"CPU": plan.cpus_per_worker}
    )

    def trial(config: dict[str, Any]) -> None:
        TorchTrainer(
            _train,
            train_loop_config=config | {"run": str(run)},
            scaling_config=workers,
            run_config=ray.train.RunConfig(
                name=f"trial-{config['told']['trial']}",
                storage_path=str(run / "train"),
                callbacks=[TuneReportCallback()],
            ),
        ).fit()

    told = [{"trial": n, "design": json.dumps(to_dict(d))} for n, d in enumerate(designs)]
    started = time.perf_counter()
    ray.tune.Tuner(
        ray.tune.with_resources(trial, {"memory": 1 << 20}),
        param_space={"told": ray.tune.grid_search(told)},
        tune_config=ray.tune.TuneConfig(max_concurrent_trials=plan.lanes),
        run_config=ray.tune.RunConfig(name="tune", storage_path=str(run), verbose=0),
    ).fit()
    seconds = time.perf_counter() - started
    saved = len(list(run.glob("*.pt")))
    if saved != len(designs):
        raise RuntimeError(f"{saved} of {len(designs)} trials left a checkpoint")
    return seconds


def _train(config: dict[str, Any]) -> None:
    told = config["told"]
    design = from_dict(json.loads(told["design"]))
    training = Nothing(design, seed=0, device=torch.device("cpu"), precision=FIXED["fp32"])
    for _ in range(design.epochs):
        result = training.run_epoch()
        if training.rank == 0:
            path = Path(config["run"]) / f"{told['trial']}.pt"
            checkpoint.save({"training": training.state()}, path)
        ray.train.report({"epoch": result.epoch, "val_accuracy": result.val_accuracy})

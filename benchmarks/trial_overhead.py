"""Benchmark: what a trial costs beside its training: lanes, TorchTrainers, a plain loop."""

import tempfile
import time
from pathlib import Path

import torch

from benchmarks.documented import train_in_trainers
from benchmarks.lanes import train_in_lanes
from benchmarks.nothing import Nothing
from benchmarks.ray_session import ray_with
from models import checkpoint
from models.data.dataset import Source, prepare
from models.design import Design
from models.training.device import FIXED
from search.terms.plan import Plan

LANES = 2
WARM, MEASURED, DOCUMENTED, PLAIN = 10, 100, 6, 200
"""Numbers of trials: warm-up and measured in lanes, in TorchTrainers, in the plain loop."""


def run(gpus: float = 0.0) -> None:
    """Prints seconds that one lane spends on a trial of three epochs that do nothing, each with a
    durable checkpoint: wall clock times lanes, divided by trials."""
    print("Overhead of a trial: three epochs that do nothing, a durable checkpoint after each.")
    print(f"Lane-seconds a trial = wall clock x {LANES} lanes / trials; two lanes, warm.")
    with tempfile.TemporaryDirectory() as folder:
        _say("plain loop in one process", _plain(Path(folder)))
        for workers in (1, 2):
            plan = Plan(LANES, workers, 1, gpus)
            with ray_with(LANES * workers):
                lanes = _lanes(Path(folder) / f"lanes-{workers}", plan)
                _say(f"lanes, {workers} worker(s)", lanes)
                trainers = _documented(Path(folder) / f"trainers-{workers}", plan)
                _say(f"TorchTrainer per trial, {workers} worker(s)", trainers)
            print(f"  ratio, {workers} worker(s): {trainers / lanes:.0f} times less with lanes")


def _say(what: str, seconds: float) -> None:
    print(f"  {what:38} {seconds:8.4f} s a trial", flush=True)


def _designs(count: int) -> list[Design]:
    return [Design(kernels=(), dense=(width + 1,), epochs=3) for width in range(count)]


def _lanes(folder: Path, plan: Plan) -> float:
    ends: list[float] = []
    train_in_lanes(
        folder,
        _designs(WARM + MEASURED),
        prepare(Source("digits")),
        plan,
        make_training=Nothing,
        ended=lambda trial: ends.append(time.perf_counter()),
    )
    return (ends[-1] - ends[WARM - 1]) * plan.lanes / MEASURED


def _documented(folder: Path, plan: Plan) -> float:
    return train_in_trainers(folder, _designs(DOCUMENTED), plan) * plan.lanes / DOCUMENTED


def _plain(folder: Path) -> float:
    started = time.perf_counter()
    for number, design in enumerate(_designs(PLAIN)):
        training = Nothing(design, seed=0, device=torch.device("cpu"), precision=FIXED["fp32"])
        for _ in range(design.epochs):
            training.run_epoch()
            checkpoint.save({"training": training.state()}, folder / f"{number}.pt")
    return (time.perf_counter() - started) / PLAIN

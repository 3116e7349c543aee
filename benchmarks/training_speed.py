"""Benchmark: images a second inside a trial, against the bare loop and a tutorial's loop."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from benchmarks.bare_loop import Epoch, fastest, seconds_of
from benchmarks.lanes import train_in_lanes
from benchmarks.random_images import random_images
from benchmarks.ray_session import ray_with
from benchmarks.tutorial_loop import TutorialLoop
from models.data.dataset import Dataset
from models.data.selection import select, subsets
from models.design import Design
from models.transcript import TRANSCRIPT
from search.record.state import SearchState, Trial
from search.terms.plan import Plan

IMAGES = {"ann-3": 50_000, "cnn-3": 6_000, "final": 6_000}
"""Training images: on two cores an epoch takes some seconds."""
ROUNDS = 7
TUTORIAL_SECONDS = 2.0
IMAGES_ON_GPU = 50_000


@dataclass
class Rounds:
    """Measures the lane's epochs and the baseline loops by turns, from within the search's driver.

    While the driver is here, the lane waits: each has the machine to itself.
    """

    bare: Epoch
    images: int
    tutorial: TutorialLoop
    since: float = 0.0
    lane: list[float] = field(default_factory=list)
    """Images a second of each round in the lane; below those of the other loops."""
    hand: list[float] = field(default_factory=list)
    taught: list[float] = field(default_factory=list)

    def goes_on(self, trial: Trial) -> bool:
        """After each epoch of the lane: measures the other loops; whether a further round follows.

        The first epoch, with the trial's start in it, does not count.
        """
        seconds = time.perf_counter() - self.since - trial.epochs[-1]["eval_seconds"]
        if trial.last_epoch > 1:
            self.lane.append(self.images / seconds)
            self.hand.append(self.images / seconds_of(self.bare))
            self.taught.append(self.tutorial.images_per_second(TUTORIAL_SECONDS))
        self.since = time.perf_counter()
        return len(self.lane) < ROUNDS


def run(gpus: float = 0.0) -> None:
    """Prints medians and their ratios for three designs of the transcript."""
    threads = torch.get_num_threads() if gpus else _cores()
    torch.set_num_threads(threads)
    device = torch.device("cuda" if gpus else "cpu")
    dataset = random_images()
    print(f"Training speed, {device.type}, {threads} threads, images of noise in CIFAR-10's shape.")
    print("Images a second; medians of rounds that take turns; evaluation excluded on both sides;")
    print("in the lane with its messages and a durable checkpoint an epoch.")
    for name, images in IMAGES.items():
        images = IMAGES_ON_GPU if gpus else images
        _compare(name, dataset, images, Plan(1, 1, threads, gpus), device)


def _compare(name: str, dataset: Dataset, images: int, plan: Plan, device: torch.device) -> None:
    design = replace(TRANSCRIPT[name], epochs=ROUNDS + 1)
    train, _ = subsets(dataset, select(dataset, images, "validation"))
    precision, bare = fastest(design, train, device)
    whole = len(train) // design.batch_size * design.batch_size
    rounds = Rounds(bare, whole, TutorialLoop(design, train, device))
    state = _train(design, dataset, images, plan, rounds.goes_on)
    lane, hand, taught = map(statistics.median, (rounds.lane, rounds.hand, rounds.taught))
    print(f"  {name}: {len(train):,} images, batch {design.batch_size}")
    print(f"    in a trial        {lane:10,.0f}  {state.trials[0].precision}")
    print(f"    best bare loop    {hand:10,.0f}  {precision}")
    print(f"    tutorial's loop   {taught:10,.0f}  fp32 contiguous, DataLoader with 2 workers")
    print(f"    ratio to the bare loop {_ratio(rounds.lane, rounds.hand)}")
    print(f"    ratio to the tutorial's {_ratio(rounds.lane, rounds.taught)}", flush=True)


def _ratio(mine: list[float], theirs: list[float]) -> str:
    """The ratio's median over rounds, and its lowest and highest value."""
    pairs = [one / other for one, other in zip(mine, theirs, strict=True)]
    return f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})"


def _train(
    design: Design, dataset: Dataset, images: int, plan: Plan, goes_on: Callable[[Trial], bool]
) -> SearchState:
    with tempfile.TemporaryDirectory() as folder, ray_with(plan.cpus_per_worker):
        return train_in_lanes(
            Path(folder) / "run",
            [design],
            dataset,
            plan,
            train_images=images,
            precision="auto",
            goes_on=goes_on,
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1

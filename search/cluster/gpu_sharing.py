"""Benchmarks GPU sharing: the throughput of several lanes on one GPU against that of one alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
import torch

from models.data.dataset import Dataset
from models.design import Design
from models.training.device import FIXED, synchronise
from models.training.rehearsal import Rehearsal
from search.terms.plan import Plan, Resources

SECONDS = 2.0


@dataclass(frozen=True)
class Packing:
    """Measured training throughput of lanes that share one GPU, images a second, of one design."""

    lanes: int
    alone: float
    """One lane with the device to itself."""
    together: float
    """All of them at the same time, summed."""

    @property
    def gain(self) -> float:
        """The throughput of all lanes together, relative to that of one alone."""
        return self.together / self.alone

    def __str__(self) -> str:
        verdict = "" if self.gain > 1 else "; one lane a GPU would be faster (--gpus-per-worker 1)"
        return f"{self.lanes} lanes on a GPU train {self.gain:.2f} times what one does{verdict}"


class Lane:
    """A Ray actor that trains on random images with the resources of a lane's worker."""

    def __init__(self, design: Design, dataset: Dataset, threads: int) -> None:
        torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        precision = FIXED["fp32" if self._device.type == "cpu" else "bf16"]
        self._rehearsal = Rehearsal(design, dataset, dataset.train_count, self._device, precision)
        self.run(0.1)

    def run(self, seconds: float) -> float:
        """Trains for `seconds`; returns images a second."""
        started, steps = time.perf_counter(), 0
        while steps == 0 or time.perf_counter() - started < seconds:
            for _ in range(10):
                self._rehearsal.step()
            synchronise(self._device)
            steps += 10
        return steps * self._rehearsal.batch / (time.perf_counter() - started)


def measure(plan: Plan, design: Design, dataset: Dataset, lanes: int) -> Packing:
    """Starts `lanes` processes with the resources of `plan`, measures their throughput, and ends
    them."""
    share: dict[str, Any] = {"num_cpus": plan.cpus_per_worker, "num_gpus": plan.gpus_per_worker}
    actor = ray.remote(**share)(Lane)
    started = [actor.remote(design, dataset, plan.cpus_per_worker) for _ in range(lanes)]
    try:
        ray.get([lane.run.remote(0) for lane in started])  # all are up
        alone = ray.get(started[0].run.remote(SECONDS))
        together = sum(ray.get([lane.run.remote(SECONDS) for lane in started]))
        return Packing(lanes, alone, together)
    finally:
        for lane in started:
            ray.kill(lane)


def lanes_on_a_device(plan: Plan, nodes: Sequence[Resources]) -> int:
    """How many lanes of `plan` share one GPU of `nodes`; 0 where they share none."""
    if not 0 < plan.gpus_per_worker < 1:
        return 0
    cpus = max((node.get("CPU", 0) for node in nodes if node.get("GPU", 0)), default=0)
    return min(int(1 / plan.gpus_per_worker + 1e-9), plan.lanes, int(cpus // plan.cpus_per_worker))

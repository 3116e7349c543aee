"""The resource plan of a session: the number of lanes, and the CPUs and GPUs of each worker.

A lane is one Ray Tune actor with its worker group, and trains one trial at a time; the plan fits
lanes to the nodes of the cluster, also of one that autoscales.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.quantities import count, number
from search.terms.accounts import Share

Resources = Mapping[str, float]
"""Resources of a node, by Ray's names: CPU, GPU."""

LANES_OF_A_CPU_MACHINE = 8
"""The default number of lanes that share the cores of a machine without GPUs."""


@dataclass(frozen=True)
class Plan:
    """The number of lanes, and the workers of each with their resources."""

    lanes: int
    workers_per_trial: int
    cpus_per_worker: int
    gpus_per_worker: float

    @property
    def share(self) -> Share:
        """The resources that a trial's workers hold."""
        return Share(self.workers_per_trial, self.cpus_per_worker, self.gpus_per_worker)

    def __str__(self) -> str:
        share = count(self.cpus_per_worker, "CPU core")
        if self.gpus_per_worker:
            share += f" and {_gpus(self.gpus_per_worker)}"
        workers = count(self.workers_per_trial, "worker")
        return f"{count(self.lanes, 'trial')} at a time, each with {workers} of {share}"


def make_plan(
    nodes: Sequence[Resources],
    *,
    growable: Sequence[Resources],
    parallel: int | None,
    workers_per_trial: int,
    cpus_per_worker: int | None,
    gpus_per_worker: float | None,
    accelerator: bool,
) -> Plan:
    """The plan for a cluster of `nodes`; ValueError where no trial can ever be scheduled.

    `growable` are the nodes of an autoscaling cluster at its largest size; empty for a fixed one.
    Without `accelerator` no GPU is requested.
    """
    _check(parallel, workers_per_trial, cpus_per_worker, gpus_per_worker, accelerator)
    has_gpus = any(node.get("GPU", 0) for node in [*nodes, *growable])
    gpus = gpus_per_worker if gpus_per_worker is not None else float(has_gpus and accelerator)
    cpus = cpus_per_worker if cpus_per_worker is not None else _default_cpus(nodes, gpus)
    plan = Plan(1, workers_per_trial, cpus, gpus)
    lanes = count_lanes(plan, nodes, growable, parallel)
    if not lanes:
        raise ValueError(_refusal(plan, nodes, growable))
    return replace(plan, lanes=lanes)


def count_lanes(
    plan: Plan, nodes: Sequence[Resources], growable: Sequence[Resources], parallel: int | None
) -> int:
    """How many lanes of `plan` fit on the nodes, present or growable, at most `parallel`."""
    lanes = _most_workers(plan, nodes, growable) // plan.workers_per_trial
    return min(lanes, parallel or lanes)


def _most_workers(plan: Plan, nodes: Sequence[Resources], growable: Sequence[Resources]) -> int:
    """The number of workers that fit on the present nodes or on those of autoscaling."""
    cpus, gpus = plan.cpus_per_worker, plan.gpus_per_worker
    return max(sum(_workers_on(node, cpus, gpus) for node in each) for each in (nodes, growable))


def _check(
    parallel: int | None,
    workers: int,
    cpus: int | None,
    gpus: float | None,
    accelerator: bool,
) -> None:
    for name, value in (
        ("--parallel", parallel),
        ("--workers-per-trial", workers),
        ("--cpus-per-worker", cpus),
    ):
        if value is not None and value < 1:
            raise ValueError(f"{name} {value}: at least 1")
    if gpus is not None and not 0 <= gpus <= 1:
        raise ValueError(
            f"--gpus-per-worker {gpus:g}: a worker uses one GPU, or a part of it, 0 to 1; several "
            "GPUs train one trial with --workers-per-trial"
        )
    if gpus and not accelerator:
        raise ValueError(f"--gpus-per-worker {gpus:g}: --device asks for another device")
    if gpus and gpus < 1 and workers > 1:  # NCCL supports one worker per GPU
        raise ValueError("--gpus-per-worker: several workers of a trial need a whole GPU each")


def _default_cpus(nodes: Sequence[Resources], gpus: float) -> int:
    if gpus:
        return 1  # images and augmentation are on the GPU: workers need little CPU
    largest = max((int(node.get("CPU", 0)) for node in nodes), default=1)
    return max(1, largest // LANES_OF_A_CPU_MACHINE)


def _workers_on(node: Resources, cpus: int, gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0) // cpus)
    if not gpus:
        return by_cpu
    return min(by_cpu, int(node.get("GPU", 0)) * math.floor(1 / gpus + 1e-9))


def _refusal(plan: Plan, nodes: Sequence[Resources], growable: Sequence[Resources]) -> str:
    has = _total(nodes)
    if growable:
        has += f", and can grow to {_total(growable)}"
    return (
        f"a trial needs {count(plan.workers_per_trial, 'worker')} of "
        f"{count(plan.cpus_per_worker, 'CPU')} and {_gpus(plan.gpus_per_worker)}, "
        f"and the cluster holds "
        f"{_most_workers(plan, nodes, growable)} such: it has {has}; ask for fewer with "
        "--workers-per-trial, --cpus-per-worker or --gpus-per-worker"
    )


def _total(nodes: Sequence[Resources]) -> str:
    cpus, gpus = (sum(node.get(name, 0) for node in nodes) for name in ("CPU", "GPU"))
    return f"{count(cpus, 'CPU')} and {count(gpus, 'GPU')} on {count(len(nodes), 'node')}"


def _gpus(share: float) -> str:
    return f"{number(share)} of a GPU" if 0 < share < 1 else count(share, "GPU")

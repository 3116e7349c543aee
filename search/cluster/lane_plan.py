"""Plans the lanes of a run from its options and the resources of the joined cluster."""

import os
from dataclasses import replace

import torch

from search.cli.options import RunOptions
from search.cluster import ray_connection
from search.terms.budget import Budget
from search.terms.plan import Plan, make_plan


def plan_of(options: RunOptions, budget: Budget) -> Plan:
    """The number of lanes, and the resources of their workers. ValueError where the cluster cannot
    hold a trial, or has no GPU and `options` or `budget` need one."""
    plan = make_plan(
        ray_connection.node_resources(),
        growable=ray_connection.growable_nodes(),
        parallel=options.parallel,
        workers_per_trial=options.workers_per_trial,
        cpus_per_worker=options.cpus_per_worker,
        gpus_per_worker=options.gpus_per_worker,
        accelerator=options.device in ("auto", "cuda"),
    )
    if options.device == "cuda" and not plan.gpus_per_worker:
        told = os.environ.get("CUDA_VISIBLE_DEVICES")
        hidden = "" if told is None else f" (CUDA_VISIBLE_DEVICES={told!r})"
        raise ValueError(f"--device cuda: the cluster has no GPU for the workers{hidden}")
    if budget.gpu_hours < float("inf") and not plan.gpus_per_worker:
        raise ValueError("--budget in gpuh: this search uses no GPU; give a time, as 30min")
    if not plan.gpus_per_worker and uses_mps(options):  # one device, of which Ray knows nothing
        if options.workers_per_trial > 1:
            raise ValueError("--workers-per-trial: on mps a trial has one worker; try --device cpu")
        return replace(plan, lanes=options.parallel or 1)
    return plan


def uses_mps(options: RunOptions) -> bool:
    """Whether this machine's Apple GPU (MPS) may train, where Ray has no GPU."""
    return options.device in ("auto", "mps") and torch.backends.mps.is_available()


def is_accelerated(plan: Plan, options: RunOptions) -> bool:
    """Whether a GPU, of Ray's or Apple's, trains."""
    return plan.gpus_per_worker > 0 or uses_mps(options)

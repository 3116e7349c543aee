"""The bill: converts worker-seconds to GPU-hours, CPU-core-hours and money."""

from collections.abc import Mapping
from dataclasses import dataclass

from search.terms.accounts import Share


@dataclass(frozen=True)
class Bill:
    """Resource hours and their cost in money."""

    gpu_hours: float | None
    """None for workers without a GPU."""
    cpu_core_hours: float
    cost: float | None
    """None without a price."""


def bill(
    seconds: float, cpus_per_worker: float, gpus_per_worker: float, price: float | None
) -> Bill:
    """The bill of `seconds` (summed over workers), for workers with these resources.

    `price` is per GPU-hour where workers have GPUs, else per CPU-core-hour.
    """
    gpu_hours = seconds * gpus_per_worker / 3600 if gpus_per_worker else None
    core_hours = seconds * cpus_per_worker / 3600
    units = core_hours if gpu_hours is None else gpu_hours
    return Bill(gpu_hours, core_hours, None if price is None else units * price)


def bill_of(held: Mapping[Share, float], price: float | None) -> Bill:
    """The bill of worker-seconds by share.

    `price` is that of the current session, also for the use of a run's earlier sessions.
    """
    bills = [
        bill(seconds, share.cpus_per_worker, share.gpus_per_worker, price)
        for share, seconds in held.items()
    ]
    gpu_hours = [each.gpu_hours for each in bills if each.gpu_hours is not None]
    costs = [each.cost for each in bills if each.cost is not None]
    return Bill(
        gpu_hours=sum(gpu_hours) if gpu_hours else None,
        cpu_core_hours=sum(each.cpu_core_hours for each in bills),
        cost=sum(costs) if costs else None,
    )

"""From measured worker-seconds to hours and money."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bill:
    """What some worker-seconds came to."""

    gpu_hours: float | None
    """None without a GPU."""
    cpu_core_hours: float
    cost: float | None
    """None without a price."""


def bill(
    seconds: float, cpus_per_worker: float, gpus_per_worker: float, price: float | None
) -> Bill:
    """The bill of `seconds` (summed over workers), each worker with its share of the machine.

    `price` is per GPU-hour where workers have GPUs, else per CPU-core-hour.
    """
    gpu_hours = seconds * gpus_per_worker / 3600 if gpus_per_worker else None
    core_hours = seconds * cpus_per_worker / 3600
    units = core_hours if gpu_hours is None else gpu_hours
    return Bill(gpu_hours, core_hours, None if price is None else units * price)

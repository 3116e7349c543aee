"""A local Ray session for one benchmark."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from search.cluster import ray_connection


@contextmanager
def ray_with(cpus: int) -> Iterator[None]:
    """Starts a local Ray with so many CPUs, whatever the machine has, its logs silenced; ends it
    after."""
    ray_connection.apply_settings()
    ray.init(
        address="local",
        num_cpus=cpus,
        include_dashboard=True,
        dashboard_host="127.0.0.1",
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    for name in ("ray.tune", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray.shutdown()

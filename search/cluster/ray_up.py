"""Reads the autoscaler configuration that `ray up` left on a cluster's head: how far the cluster
can grow, and how it is taken down."""

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path("~/ray_bootstrap_config.yaml")
LOG = Path("~/ray_down.log")
MOST_NODES = 1000
"""The most nodes of one type that are counted."""


def config() -> dict[str, Any] | None:
    """The cluster's configuration, as completed by `ray up`; None where this is no such head."""
    try:
        path = CONFIG.expanduser()
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, RuntimeError, yaml.YAMLError):  # RuntimeError: of a user without a home
        return None


# A search asks every two seconds; `ray up` may write the file anew meanwhile.
@functools.lru_cache(maxsize=1)
def _read(path: Path, changed: int) -> dict[str, Any] | None:
    found = yaml.safe_load(path.read_text())
    return found if isinstance(found, dict) and "available_node_types" in found else None


def growable_nodes(found: dict[str, Any]) -> list[dict[str, float]]:
    """The resources of each node of the fully grown cluster, by its configuration `found`.

    Node types that name no resources (on-premise hosts, before they have joined) are left out.
    """
    most = found.get("max_workers", MOST_NODES)
    nodes: list[dict[str, float]] = []
    for name, kind in found["available_node_types"].items():
        is_head = name == found.get("head_node_type")
        count = kind.get("max_workers", 0 if is_head else most)
        if kind.get("resources"):
            nodes += [dict(kind["resources"])] * min(count, MOST_NODES)
    # No more in total than the cluster's max_workers: the largest first.
    nodes.sort(key=lambda node: (-node.get("GPU", 0), -node.get("CPU", 0)))
    return nodes[:most]


def check_take_down(storage: str | None) -> None:
    """Raises ValueError where --cluster-down is impossible, or would lose the results."""
    if config() is None:
        raise ValueError("--cluster-down: this machine is not the head of a cluster of ray up")
    if storage is None:
        raise ValueError("--cluster-down needs --storage: the head's disk goes with it")


def take_down() -> None:
    """Ends this head's cluster, the head included: starts `ray down` as a detached process."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "down", "--yes"]
    with LOG.expanduser().open("w") as log:
        subprocess.Popen(
            [*command, str(CONFIG.expanduser())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

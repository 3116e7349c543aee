"""What must be the same on all nodes of a run."""

import functools
import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

PACKAGES = ("torch", "torchvision", "numpy", "optuna", "ray")


@functools.cache
def versions() -> dict[str, str]:
    """What must be the same on all nodes of a run: Python, packages, and this project's code."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{p: metadata.version(p) for p in PACKAGES}, "kneepoint": _code()}


def differences(expected: Mapping[str, str], address: str) -> str:
    """What this node, at `address`, has otherwise than `expected`, in a line; empty if nothing."""
    found = versions()
    other = [f"{n} {found[n]} where the head has {v}" for n, v in expected.items() if found[n] != v]
    return f"node {address} has {', '.join(other)}" if other else ""


def _code() -> str:
    """A hash of the source of what trains and searches."""
    total = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted([*(root / "models").glob("*.py"), *(root / "search").glob("*.py")]):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()[:12]

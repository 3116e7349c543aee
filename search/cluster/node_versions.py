"""Compares versions of Python, packages and this project's code between the head and a node, and
checks that the node can use the storage."""

import functools
import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from search.storage.store import Store, check_writable

PACKAGES = ("torch", "torchvision", "numpy", "optuna", "ray")


@functools.cache
def versions() -> dict[str, str]:
    """What must be equal on all nodes of a run: versions of Python and packages, and a hash of this
    project's code."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{p: metadata.version(p) for p in PACKAGES}, "kneepoint": _code()}


def differences(expected: Mapping[str, str], address: str) -> str:
    """The versions in which this node, at `address`, differs from `expected`, in a line; empty
    where all are equal."""
    found = versions()
    other = [f"{n} {found[n]} where the head has {v}" for n, v in expected.items() if found[n] != v]
    return f"node {address} has {', '.join(other)}" if other else ""


def fault(expected: Mapping[str, str], store: Store, shared: str, address: str) -> str:
    """Why this node, at `address`, cannot train for a run, in a line; empty if it can. `shared` is
    a file that another node has written into `store`."""
    wrong = differences(expected, address)
    if wrong:
        return f"{wrong}: bring it up to date with ray up, or with make setup there"
    try:
        store.read(shared)
    except OSError:
        return (
            f"node {address} does not see {store}: it must be on storage that all nodes share; "
            "see --storage and --out"
        )
    try:
        check_writable(store, f"node {address}")
    except OSError as error:
        return f"--storage {error}"
    return ""


def _code() -> str:
    """A hash of the source of models/ and search/."""
    total = hashlib.sha256()
    root = Path(__file__).parents[2]
    for path in sorted([*(root / "models").rglob("*.py"), *(root / "search").rglob("*.py")]):
        total.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return total.hexdigest()[:12]

"""Checks each node of the cluster before a run: same code and package versions, storage reachable
and writable."""

import secrets
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.cluster.node_versions import fault, versions
from search.storage.store import Store

ANSWER_SECONDS = 180


def check_nodes(store: Store, own: str) -> None:
    """Raises ValueError, naming the node, where one other than `own` lacks the project, has other
    versions, or cannot read and write `store`."""
    nodes = [node for node in ray.nodes() if node["Alive"] and node["NodeID"] != own]
    if not nodes:
        return
    name = f".probe-{secrets.token_hex(4)}"
    store.write(name, b"kneepoint")
    try:
        answers = {
            node["NodeManagerAddress"]: _look.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(versions(), store, name, node["NodeManagerAddress"])
            for node in nodes
        }
        for address, answer in answers.items():
            wrong = _heard(address, answer)
            if wrong:
                raise ValueError(wrong)
    finally:
        store.delete(name)


_look = ray.remote(num_cpus=0, max_retries=0)(fault)


def _heard(address: str, answer: Any) -> str:
    try:
        return str(ray.get(answer, timeout=ANSWER_SECONDS))
    except GetTimeoutError:
        return f"node {address} did not answer within {ANSWER_SECONDS} s"
    except (RayError, ImportError, RuntimeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines or [type(error).__name__])[-1]
        return f"node {address} cannot run kneepoint ({reason}): install it there with make setup"

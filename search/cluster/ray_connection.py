"""Connects to a Ray cluster, or starts one on this machine, and queries its nodes and resources."""

import logging
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._common.utils import get_ray_address_file
from ray._private import services
from ray._private import state as ray_state

from search.cli import host_checks
from search.cli.command_line import BadInput, checking
from search.cli.interrupt import handlers_kept
from search.cluster import ray_up
from search.cluster.node_times import Node

SETTINGS = {
    # Tune and Train print nothing, write no log files, and do not change the working directory.
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_WARN_THRESHOLD_S": "60",
    # A lane is several processes that hold no core: without this Ray warns of too many.
    "RAY_worker_maximum_startup_concurrency": "16",
    # One process a lane that watches for preemption: not needed, for lost lanes are restarted.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    # A preempted lane is lost like any other; Tune shall not retry it.
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",
}
"""Settings that Ray reads from the environment; a variable that is set already stays."""


CONNECT_SECONDS = 10
SETTINGS_FRAME = b"\0\0\0\4\0\0\0\0\0"
"""An empty HTTP/2 SETTINGS frame, with which both sides begin; its fourth byte is the type."""
HEAD_RESOURCE = "node:__internal_head__"


def apply_settings() -> None:
    """Sets Ray's environment variables for this process. A lane's process calls it too, for its
    environment is that of its node."""
    os.environ.update({name: os.environ.get(name, value) for name, value in SETTINGS.items()})


@contextmanager
def connection(address: str | None) -> Iterator[None]:
    """Connects to the cluster at `address`, else to one that Ray finds, else starts one here.

    A cluster that was started here ends on exit. BadInput where none can be joined or started.
    """
    apply_settings()
    if host_checks.hides_gpus(os.environ):
        os.environ[host_checks.VISIBLE] = ""  # Ray would count a -1 as one
    try:
        with handlers_kept():
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                include_dashboard=True,
                dashboard_host="127.0.0.1",
            )
    except Exception as error:  # of many kinds, some of them plain
        ray.shutdown()
        raise BadInput(
            f"{_origin(address)}no Ray cluster could be joined or started ({_reason(error)})"
        ) from error
    try:
        yield
    finally:
        with handlers_kept():
            ray.shutdown()


def check(address: str | None) -> None:
    """Raises BadInput where Ray could neither join a cluster nor start one here: ray.init would try
    for minutes and end the process, or end in a traceback."""
    with checking():
        told = _told(address)
        if told.partition("://")[0] not in (told, "ray"):
            raise ValueError(
                f"{_origin(address)}not an address of a cluster; give host:port, the port mostly "
                "being 6379"
            )
        found = told if "://" in told else _found(address)
        if found is None:
            host_checks.check_start(os.environ)
        else:
            host_checks.check_join()
            _check_reachable(found.removeprefix("ray://"), address)


def _told(address: str | None) -> str:
    """The address that the user gave, by option or RAY_ADDRESS; empty where none was given."""
    return os.environ.get("RAY_ADDRESS", "") if address in (None, "auto") else str(address)


def _origin(address: str | None) -> str:
    """The prefix of an error message about the address; empty where none was given."""
    if address in (None, "auto") and os.environ.get("RAY_ADDRESS"):
        return f"RAY_ADDRESS={os.environ['RAY_ADDRESS']}: "
    return f"--address {address}: " if address else ""


def _found(address: str | None) -> str | None:
    """The host and port of the cluster that Ray would join; None where it would start one."""
    try:
        return services.canonicalize_bootstrap_address(address)
    except (ConnectionError, ValueError, OSError) as error:
        raise ValueError(f"{_origin(address)}no Ray cluster is there ({_reason(error)})") from error


def _check_reachable(found: str, address: str | None) -> None:
    host, _, port = found.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as answering:
            is_ray = _speaks_as_ray(answering)
    except (OSError, OverflowError, ValueError) as error:
        origin, mend = _origin(address), "leave the option out"
        if origin.startswith("RAY_ADDRESS"):
            mend = "unset RAY_ADDRESS"
        elif not address or address == "auto":
            origin = f"{get_ray_address_file(None)} names a cluster at {found}: "
            mend = "forget this one with ray stop, or give --address local"
        raise ValueError(
            f"{origin}nothing answers there ({_reason(error)}); start a cluster with ray start "
            f"--head, or {mend}"
        ) from error

    if not is_ray:
        raise ValueError(
            f"{_origin(address)}what answers there is no Ray cluster; give host:port, the port "
            "mostly being 6379 (the dashboard's is another one)"
        )


def _speaks_as_ray(answering: socket.socket) -> bool:
    """Whether the server speaks HTTP/2, as gRPC does. Ray would wait minutes for another one."""
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return True  # a TLS server does not answer in plain HTTP/2
    answering.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS_FRAME)
    return answering.recv(len(SETTINGS_FRAME))[3:4] == SETTINGS_FRAME[3:4]


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def log_to_file(path: Path) -> None:
    """Redirects the log messages of Ray and Optuna, and Python warnings, to the file `path`."""
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in ("ray", "ray.tune", "ray.train", "ray.data", "optuna", "py.warnings"):
        logger = logging.getLogger(name)
        for before in logger.handlers:
            before.close()
        logger.handlers = [handler]
        logger.propagate = False
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not print tracebacks of the log handler


def node_resources() -> list[dict[str, float]]:
    """The resources of each live node: amounts by Ray's names."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def node_addresses() -> set[str]:
    """The addresses of the live nodes."""
    return {node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}


def growable_nodes() -> list[dict[str, float]]:
    """The resources of each node when the autoscaler has grown the cluster to its maximum; empty
    where it cannot grow."""
    started = ray_up.config()
    if started is not None and own_node() == _head():
        return ray_up.growable_nodes(started)
    config = ray_state.state.get_cluster_config()
    nodes: list[dict[str, float]] = []
    for group in config.node_group_configs if config else ():
        most = ray_up.MOST_NODES
        count = most if group.max_count < 0 else min(group.max_count, most)
        nodes += [dict(group.resources)] * count
    return nodes


def own_node() -> str:
    """The id of the node that this process is on."""
    return str(ray.get_runtime_context().get_node_id())


def _head() -> str:
    heads = (n["NodeID"] for n in ray.nodes() if n["Alive"] and HEAD_RESOURCE in n["Resources"])
    return next(heads, "")


def node_use() -> list[Node]:
    """The live nodes, with which of them are in use."""
    free = ray_state.available_resources_per_node()
    return [_node(node, free.get(node["NodeID"], {})) for node in ray.nodes() if node["Alive"]]


def _node(node: dict[str, Any], free: dict[str, float]) -> Node:
    has = node["Resources"]
    return Node(
        id=node["NodeID"],
        address=node["NodeManagerAddress"],
        kind=node["Labels"].get("ray.io/node-group", ""),
        cpus=has.get("CPU", 0.0),
        gpus=has.get("GPU", 0.0),
        busy=any(free.get(name, 0.0) < has.get(name, 0.0) for name in ("CPU", "GPU")),
    )


def gpus() -> dict[str, int]:
    """The number of GPUs of the cluster by model."""
    counts: Counter[str] = Counter()
    for resources in node_resources():
        models = [n.partition(":")[2] for n in resources if n.startswith("accelerator_type:")]
        if resources.get("GPU"):
            counts[models[0] if models else "GPU"] += int(resources["GPU"])
    return dict(counts)


def describe() -> dict[str, Any]:
    """The numbers of nodes, cores and GPUs of the cluster."""
    nodes = node_resources()
    return {
        "nodes": len(nodes),
        "cluster_cpus": sum(node.get("CPU", 0) for node in nodes),
        "gpus": gpus(),
    }

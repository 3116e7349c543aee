"""Machines that come when trials wait, and go when they have nothing to do."""

import time

import pytest

from search.cluster.node_times import FILE as NODE_TIMES
from search.cluster.node_times import read as read_node_times
from search.record.state import load
from tests.cluster.conftest import OnPrem, start
from tests.cluster.hosts import Hosts

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

KIND = "local.cluster.node"
"""Ray's name for one's own machines."""
IDLE_MINUTES = 1


@pytest.fixture
def growing(hosts: Hosts):
    """A head that trains nothing, and two machines that are asked for when they are needed."""
    cluster = start(hosts, "kneepoint-growing", head="--num-cpus=0", change=_grows)
    yield cluster
    cluster.ray("down", "--yes", str(cluster.file))
    cluster.forget()


def _grows(config: dict) -> None:
    """As cluster.yaml is: with types of nodes, none of which must be there."""
    from ray.autoscaler._private.util import prepare_config

    config |= prepare_config(config)
    machine = {"node_config": {}, "resources": {"CPU": 1}, "min_workers": 0, "max_workers": 2}
    config["available_node_types"] = {KIND: machine}
    config["head_node_type"] = KIND
    config["idle_timeout_minutes"] = IDLE_MINUTES
    config["max_workers"] = 2


def test_waiting_trials_start_nodes_and_idle_ones_go(growing: OnPrem) -> None:
    """And at last, by an option of the search, the head too."""
    assert growing.nodes() == 1
    options = "--searcher random --scheduler none --max-epochs 4 --seed 1"
    growing.hosts.ssh(1, growing.command("grow", f"{options} --trials 8"))
    ended = time.time()
    state = load(growing.storage / "grow")
    assert [trial.state for trial in state.trials.values()] == ["finished"] * 8
    times = {
        node["address"]: node for node in read_node_times(growing.storage / "grow" / NODE_TIMES)
    }
    workers = [growing.hosts.address(2), growing.hosts.address(3)]
    assert set(workers) < set(times), times
    head = times[growing.hosts.address(1)]
    assert head["idle_seconds"] == 0 and head["cpus"] == 0
    assert all(0 < times[w]["seconds"] < head["seconds"] for w in workers)
    growing.await_nodes(1, seconds=300)
    print(f"nodes gone {time.time() - ended:.0f} s after the search")
    growing.hosts.ssh(1, growing.command("last", f"{options} --trials 2 --cluster-down"))
    growing.await_end()
    assert load(growing.storage / "last").trials[1].state == "finished"

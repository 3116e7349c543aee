"""What lanes do when processes die, and what they leave behind, on a real Ray cluster."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from search.record import ledger, state
from search.run import main
from tests.conftest import free_port
from tests.search.processes import left_of, wait_for
from tests.search.trainings import Greedy, training_by

pytestmark = pytest.mark.timeout(300)
DIGITS = ["--dataset", "digits", "--precision", "fp32", "--cpus-per-worker", "1"]
FULL = ["--searcher", "random", "--scheduler", "none"]


@pytest.mark.slow
def test_out_of_memory_is_the_trial_s_result(ray_cluster: str, tmp_path: Path) -> None:
    """And the lane goes on with the next trial."""
    with training_by(Greedy):
        words = ["transcript", "ann-3", "cnn-1", "cnn-3", "ann-1", *DIGITS, "--parallel", "1"]
        assert main([*words, "--max-epochs", "2", "--out", str(tmp_path), "--name", "o"]) == 0
    found = state.load(tmp_path / "o")
    told = {t.name: (t.state, t.reason, t.last_epoch) for t in found.trials.values()}
    assert told == {
        "ann-3": ("failed", "out_of_memory", 1),
        "cnn-1": ("finished", "", 2),
        "cnn-3": ("failed", "out_of_memory", 1),
        "ann-1": ("finished", "", 2),
    }
    assert {line["lane"] for trial in found.trials.values() for line in trial.epochs} == {0}
    assert sum(trial.restarts for trial in found.trials.values()) == 0


@pytest.mark.slow
def test_a_killed_lane_costs_one_epoch(ray_cluster: str, tmp_path: Path) -> None:
    """Tune's actor; workers are killed among the faults of test_fault_injection_on_ray."""
    # Two that are both still at it when the kill comes, or an idle lane might be hit.
    words = ["transcript", "cnn-1", "cnn-3", *DIGITS, "--max-epochs", "10"]
    run = tmp_path / "killed"

    def kill() -> None:
        wait_for(lambda: epochs_of(run, 0) >= 2)
        os.kill(random.choice(named("ray::ResourceTrainable")), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert main([*words, "--out", str(tmp_path), "--name", "killed"]) == 0
    killer.join()
    found = state.load(run)
    assert {trial.state for trial in found.trials.values()} == {"finished"}
    assert sum(trial.restarts for trial in found.trials.values()) == 1
    lines = [line for line in ledger.read(run / "ledger") if line["kind"] == "epoch"]
    assert len(lines) == len({(line["trial"], line["epoch"]) for line in lines}) == 20


@pytest.fixture
def own_ray(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Surroundings of a command that starts a Ray of its own."""
    yield {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}


@pytest.mark.slow
def test_a_killed_command_leaves_no_process(own_ray, tmp_path: Path) -> None:
    """As one that was interrupted: test_ctrl_c_stops_softly."""
    words = [*DIGITS, *FULL, "--max-epochs", "100000", "--address", "local"]
    command = subprocess.Popen(
        [sys.executable, "-m", "search.run", *words, "--out", str(tmp_path), "--name", "cut"],
        env=own_ray,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: len({line["trial"] for line in lines_of(tmp_path / "cut")
                              if line["kind"] == "epoch"}) == 2)  # fmt: skip
        assert named("ray::RayTrainWorker")
        command.kill()
        command.wait(60)
        wait_for(lambda: not [title for title in left_of(command.pid) if is_lane_s(title)], 30)
        # Ray's own two agents of a node try for a minute to tell of the end.
        wait_for(lambda: not left_of(command.pid), 100)
    finally:
        command.kill()
        command.wait()


@pytest.mark.slow
def test_a_killed_command_gives_a_cluster_back_what_it_held(
    ray_cluster: str, tmp_path: Path
) -> None:
    """A cluster that goes on without the command: its cores are free, its lanes are gone."""
    import ray

    words = [*DIGITS, *FULL, "--max-epochs", "100000"]
    command = subprocess.Popen(
        [sys.executable, "-m", "search.run", *words, "--out", str(tmp_path), "--name", "cut"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: epochs_of(tmp_path / "cut", 1) >= 1)
    finally:
        command.kill()
        command.wait()
    ray.init(address=ray_cluster, log_to_driver=False)
    try:
        wait_for(lambda: ray.available_resources().get("CPU") == 2, 60)
        wait_for(
            lambda: all(
                group["state"] == "REMOVED" for group in ray.util.placement_group_table().values()
            ),
            60,
        )
        wait_for(lambda: not named("ray::RayTrainWorker") and not named("ray::TrainController"), 60)
    finally:
        ray.shutdown()


@pytest.mark.slow
def test_lanes_come_and_go_with_nodes(tmp_path: Path) -> None:
    """A node that joins gets a lane; when it is gone, its trial goes on in another."""
    from ray.cluster_utils import Cluster

    dashboard = {"include_dashboard": True, "dashboard_host": "127.0.0.1"}
    port = {"dashboard_port": free_port()}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **dashboard, **port})
    run = tmp_path / "grown"
    words = [*DIGITS, *FULL, "--trials", "3", "--max-epochs", "100"]
    command = subprocess.Popen(
        [sys.executable, "-m", "search.run", *words, "--out", str(tmp_path), "--name", "grown"],
        env=os.environ | {"RAY_ADDRESS": cluster.address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: epochs_of(run, 0) >= 2)
        assert running(run) == 1
        node = cluster.add_node(num_cpus=1)
        wait_for(lambda: running(run) == 2)
        cluster.remove_node(node, allow_graceful=False)
        wait_for(lambda: any(line.get("action") == "restart" for line in lines_of(run)))
        assert command.wait(200) == 0
    finally:
        command.kill()
        command.wait()
        cluster.shutdown()
    found = state.load(run)
    assert {(t.state, t.last_epoch) for t in found.trials.values()} == {("finished", 100)}


def running(run: Path) -> int:
    found = state.load(run)
    return sum(trial.state == "running" and trial.last_epoch > 0 for trial in found.trials.values())


def lines_of(run: Path) -> list[dict]:
    return list(ledger.read(run / "ledger"))


def epochs_of(run: Path, trial: int) -> int:
    return sum(line["kind"] == "epoch" and line["trial"] == trial for line in lines_of(run))


def named(title: str) -> list[int]:
    """Processes of Ray with this title."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith(title):
            found.append(process.pid)
    return found


def is_lane_s(title: str) -> bool:
    return title.startswith("ray::") and not title.startswith(
        ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
    )

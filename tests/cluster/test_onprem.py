"""A search on three hosts: started by `ray up`, its hosts killed and cut off, and taken down."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.cluster.node_times import FILE as NODE_TIMES
from search.cluster.node_times import read as read_node_times
from search.record.state import SearchState, load
from tests.cluster.conftest import DIGITS, RAY, OnPrem
from tests.conftest import free_port

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

FULL = "--searcher random --scheduler none"
"""Trials in full, so that what is trained does not depend on the order of results."""


def results(state: SearchState) -> dict[int, tuple[str, list[float]]]:
    return {
        number: (trial.design.id, [line["val_accuracy"] for line in trial.epochs])
        for number, trial in state.trials.items()
    }


def assert_complete(state: SearchState, trials: int) -> None:
    assert len(state.trials) == trials
    for trial in state.trials.values():
        assert trial.state == "finished", (trial.trial, trial.state, trial.reason)
        assert [line["epoch"] for line in trial.epochs] == list(range(1, trial.design.epochs + 1))


def await_epochs(run: Path, count: int, seconds: float = 120) -> SearchState:
    """Until the storage's copy of the ledger tells of so many."""
    deadline = time.monotonic() + seconds
    while True:
        state = load(run) if (run / "ledger").is_dir() else SearchState()
        if sum(len(trial.epochs) for trial in state.trials.values()) >= count:
            return state
        assert time.monotonic() < deadline, f"not {count} epochs within {seconds} s"
        time.sleep(1)


def installed(package: str) -> str:
    """Where the environment of these tests has it, which all hosts see."""
    script = f"import {package}; print({package}.__path__[0])"
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.check_output(
        [sys.executable, "-c", script], cwd="/", env=plain, text=True
    ).strip()


def newest(run: Path) -> float:
    """When the newest epoch of a ledger was written down, seconds of time.time()."""
    return max(line["time"] for trial in load(run).trials.values() for line in trial.epochs)


def test_ray_up_to_the_first_epoch(onprem: OnPrem) -> None:
    state = onprem.search("first", f"{FULL} --trials 3 --max-epochs 1")
    first = min(line["time"] for trial in state.trials.values() for line in trial.epochs)
    print(f"ray up to the first finished epoch: {first - onprem.began:.0f} s")
    assert first - onprem.began <= 180
    onprem.await_nodes(3)


def test_without_the_token_nobody_is_let_in(onprem: OnPrem) -> None:
    address = f"{onprem.hosts.address(1)}:6379"
    script = f"import ray; ray.init('{address}', log_to_driver=False); print('in')"
    for setting in ("RAY_AUTH_MODE=disabled", "RAY_AUTH_TOKEN=" + "0" * 64):
        refused = onprem.hosts.ssh(2, f'{setting} timeout 60 python -c "{script}"', check=False)
        assert refused.returncode != 0 and "in" not in refused.stdout.split(), refused.stdout
    assert "in" in onprem.hosts.ssh(2, f'python -c "{script}"').stdout.split()


def test_no_secret_is_to_be_seen(onprem: OnPrem) -> None:
    """Neither in what a search writes or prints, nor in Ray's logs, nor among the processes."""
    token = (onprem.hosts.folder / "token").read_text()
    search = onprem.hosts.begin(1, onprem.command("secret", f"{FULL} --trials 6 --max-epochs 6"))
    await_epochs(onprem.storage / "secret", 2)
    for host in (1, 2, 3):
        assert token not in onprem.hosts.ssh(host, "ps auxwwe | sed s/RAY_AUTH_TOKEN_PATH//").stdout
        found = onprem.hosts.ssh(host, f"grep -rlF {token} /tmp ~/runs", check=False).stdout
        assert not found, found
    assert token not in onprem.finish(search, 200)
    assert not [
        p for p in onprem.storage.rglob("*") if p.is_file() and token.encode() in p.read_bytes()
    ]
    assert token not in onprem.file.read_text()


def test_the_dashboard_listens_on_the_head_alone(onprem: OnPrem) -> None:
    ask = "curl -s -o /dev/null -w %{http_code} http://"
    assert onprem.hosts.ssh(1, f"{ask}127.0.0.1:8265/").stdout.strip() in ("200", "401", "403")
    assert onprem.hosts.ssh(2, f"{ask}{onprem.hosts.address(1)}:8265/", check=False).returncode == 7


def test_the_same_results_as_on_one_machine(onprem: OnPrem, tmp_path: Path) -> None:
    onprem.await_nodes(3)
    options = f"{FULL} --trials 20 --max-epochs 2 --seed 3"
    there = onprem.search("same", f"{options} --parallel 3")
    onprem.here(f"{DIGITS} --parallel 1 --out {tmp_path} --name alone {options}")
    assert_complete(there, 20)
    assert results(there) == results(load(tmp_path / "alone"))
    used = [node["address"] for node in read_node_times(onprem.storage / "same" / NODE_TIMES)
            if node["idle_seconds"] < node["seconds"]]  # fmt: skip
    assert set(used) == {onprem.hosts.address(host) for host in (1, 2, 3)}


def test_a_trial_spans_two_hosts(onprem: OnPrem) -> None:
    onprem.await_nodes(3)
    state = onprem.search(
        "span", f"{FULL} --trials 2 --max-epochs 2 --workers-per-trial 2 --parallel 1"
    )
    assert_complete(state, 2)
    assert all(trial.workers == 2 for trial in state.trials.values())


def test_bad_nodes_are_named(onprem: OnPrem) -> None:
    onprem.await_nodes(3)

    def refused(host: int, spoil: str, mend: str) -> str:
        onprem.hosts.ssh(host, spoil)
        try:
            done = onprem.hosts.ssh(1, onprem.command("bad", "--trials 1"), check=False)
        finally:
            onprem.hosts.ssh(host, mend)
        assert done.returncode == 2 and "Traceback" not in done.stdout + done.stderr, done.stderr
        assert not (onprem.hosts.home(1) / "runs/bad").exists()
        said = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
        assert len(said) == 1 and onprem.hosts.address(host) in said[0], said
        return said[0]

    empty = "mkdir -p /tmp/empty && mount --bind /tmp/empty"
    assert "does not see" in refused(2, f"{empty} {onprem.storage}", f"umount {onprem.storage}")
    read_only = f"mount --bind {onprem.storage} {onprem.storage} && mount -o remount,ro,bind"
    assert "cannot be written" in refused(
        3, f"{read_only} {onprem.storage}", f"umount {onprem.storage}"
    )
    places = ("~/kneepoint/search", installed("search"))
    gone = " && ".join(f"{empty} {place}" for place in places)
    assert "cannot run kneepoint" in refused(3, gone, f"umount {' '.join(places)}")
    design = "~/kneepoint/models/design.py"
    other = f"(cat {design}; echo '# older') > /tmp/other && mount --bind /tmp/other {design}"
    assert "kneepoint" in refused(2, other, f"umount {design}")


@pytest.fixture
def dashboard(onprem: OnPrem) -> Iterator[str]:
    """The address of the tunnel that `ray dashboard` keeps open."""
    port = free_port()
    words = [RAY, "dashboard", "--port", str(port), str(onprem.file)]
    tunnel = subprocess.Popen(
        words, env=onprem.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    try:
        while not listens(port):
            assert time.monotonic() < deadline and tunnel.poll() is None
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(tunnel.pid, signal.SIGTERM)
        tunnel.wait()


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def test_a_search_is_sent_through_the_tunnel(onprem: OnPrem, dashboard: str) -> None:
    """As docs/cluster.md has it: `ray job submit` waits for the end, `ray job stop` is Ctrl-C."""
    onprem.await_nodes(3)
    to = ("--address", dashboard)
    search = onprem.command("sent", f"{FULL} --trials 3 --max-epochs 2")
    onprem.ray("job", "submit", *to, "--", "bash", "-ic", search)
    assert_complete(load(onprem.storage / "sent"), 3)

    patience = '{"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": "120"}}'
    search = onprem.command("stopped", f"{FULL} --trials 200 --max-epochs 30")
    words = ("--no-wait", "--submission-id", "stopped", "--runtime-env-json", patience)
    onprem.ray("job", "submit", *to, *words, "--", "bash", "-ic", search)
    await_epochs(onprem.storage / "stopped", 3)
    onprem.ray("job", "stop", *to, "stopped")
    info = json.loads((onprem.storage / "stopped/run.json").read_text())
    assert info["state"] == "interrupted"
    assert {trial.state for trial in load(onprem.storage / "stopped").trials.values()} <= {
        "finished",
        "paused",
    }


def test_a_host_is_killed(onprem: OnPrem) -> None:
    onprem.await_nodes(3)
    search = onprem.hosts.begin(
        1, onprem.command("kill", f"{FULL} --trials 12 --max-epochs 20 --parallel 3")
    )
    await_epochs(onprem.storage / "kill", 30)
    onprem.hosts.kill(3)
    onprem.finish(search, 400)
    state = load(onprem.storage / "kill")
    assert_complete(state, 12)
    assert sum(trial.restarts for trial in state.trials.values()) >= 1
    onprem.hosts.start(3)
    onprem.await_nodes(3)  # the autoscaler finds it again


def test_a_host_is_cut_off_and_back(onprem: OnPrem) -> None:
    onprem.await_nodes(3)
    search = onprem.hosts.begin(
        1, onprem.command("cut", f"{FULL} --trials 24 --max-epochs 30 --parallel 3")
    )
    await_epochs(onprem.storage / "cut", 30)
    onprem.hosts.cut(2)
    time.sleep(60)
    onprem.hosts.mend(2)
    onprem.finish(search, 500)
    assert_complete(load(onprem.storage / "cut"), 24)
    onprem.await_nodes(3)


def test_the_head_is_killed(onprem: OnPrem, tmp_path: Path) -> None:
    """And the run goes on elsewhere, with only the storage left."""
    onprem.await_nodes(3)
    search = onprem.hosts.begin(
        1, onprem.command("head", f"{FULL} --trials 12 --max-epochs 30 --parallel 3")
    )
    await_epochs(onprem.storage / "head", 40)
    time.sleep(8)  # what follows is copied ten seconds after that
    onprem.hosts.kill(1)
    search.communicate(timeout=60)
    copied = newest(onprem.storage / "head")
    lost = newest(onprem.hosts.home(1) / "runs/head") - copied
    print(f"ledger lost with the head: {lost:.0f} s")
    assert 0 < lost <= 30
    onprem.here(f"--resume head --storage {onprem.storage} --out {tmp_path} --parallel 2")
    assert_complete(load(onprem.storage / "head"), 12)
    shutil.rmtree(tmp_path / "head")


def test_ray_down(onprem: OnPrem) -> None:
    """Of a cluster whose head has come back."""
    onprem.hosts.start(1)
    onprem.ray("up", "--yes", str(onprem.file))
    onprem.ray("down", "--yes", str(onprem.file))
    onprem.await_end()

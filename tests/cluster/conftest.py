"""Three hosts, and a cluster on them that `ray up` made from cluster-onprem.yaml."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.record.state import SearchState, load
from tests.cluster.hosts import Hosts, missing

ROOT = Path(__file__).parents[2]
FOLDER = Path("/var/tmp/kneepoint-hosts")
DIGITS = "--dataset digits --precision fp32 --cpus-per-worker 1 --budget 15min"
RAY = str(Path(sys.executable).parent / "ray")


@dataclass(frozen=True)
class OnPrem:
    """A cluster that runs on hosts."""

    hosts: Hosts
    file: Path
    storage: Path
    """A folder that all hosts see, as over NFS."""
    environment: dict[str, str]
    """Of commands on the machine that started it."""
    began: float
    """When `ray up` was called, seconds of time.time()."""

    def command(self, name: str, options: str) -> str:
        """A search over the digits, run on the head, with its storage where all see it."""
        return (
            f"cd ~/kneepoint && OMP_NUM_THREADS=1 python search/run.py {DIGITS} "
            f"--storage {self.storage} --out ~/runs --name {name} {options}"
        )

    def search(self, name: str, options: str) -> SearchState:
        """That search, waited for; the state that its storage holds."""
        self.hosts.ssh(1, self.command(name, options))
        return load(self.storage / name)

    def finish(self, search: subprocess.Popen[str], seconds: float) -> str:
        """Waits for a search that was begun; what it printed."""
        out, err = search.communicate(timeout=seconds)
        assert search.returncode == 0, out + err
        return out + err

    def here(self, options: str) -> None:
        """A search on the machine that started the cluster, with a Ray of its own."""
        plain = {n: v for n, v in self.environment.items() if not n.startswith("RAY_")}
        words = [sys.executable, "search/run.py", *options.split()]
        subprocess.run(words, cwd=ROOT, env=plain | {"OMP_NUM_THREADS": "1"}, check=True)

    def ray(self, *words: str) -> None:
        """A command of Ray's, from the machine that started the cluster."""
        done = subprocess.run(
            [RAY, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    def forget(self) -> None:
        """What Ray remembers of it on the machine that started it."""
        for left in Path("/tmp/ray").glob(f"cluster-{self.file.stem}.*"):
            with contextlib.suppress(OSError):
                left.unlink()

    def nodes(self) -> int:
        """How many nodes the head knows as alive."""
        script = (
            "import ray; ray.init('auto', log_to_driver=False); "
            "print('nodes', sum(n['Alive'] for n in ray.nodes()))"
        )
        answer = self.hosts.ssh(1, f'python -c "{script}"')
        return int(answer.stdout.split("nodes")[-1])

    def await_nodes(self, count: int, seconds: float = 180) -> None:
        """Until so many nodes are alive."""
        deadline = time.monotonic() + seconds
        while self.nodes() != count:
            assert time.monotonic() < deadline, f"not {count} nodes within {seconds} s"
            time.sleep(2)

    def await_end(self, seconds: float = 180) -> None:
        """Until no host runs Ray."""
        deadline = time.monotonic() + seconds
        for host in range(1, self.hosts.count + 1):
            while self.hosts.ssh(host, "pgrep -x raylet", check=False).returncode == 0:
                assert time.monotonic() < deadline, f"host {host} still runs Ray"
                time.sleep(2)


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    reason = missing()
    if reason:
        pytest.skip(f"hosts on this machine: {reason}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        hosts = Hosts(FOLDER, 3)
    except (OSError, TimeoutError) as error:
        pytest.skip(f"hosts on this machine: {error}")
    try:
        yield hosts
    finally:
        hosts.down()


@pytest.fixture(scope="session")
def onprem(hosts: Hosts) -> Iterator[OnPrem]:
    cluster = start(hosts, "kneepoint-test", head="--num-cpus=1")
    yield cluster
    cluster.forget()


def start(
    hosts: Hosts, name: str, *, head: str, change: Callable[[dict[str, Any]], None] | None = None
) -> OnPrem:
    """`ray up` with cluster-onprem.yaml as a user changes it, and a small share of each host for
    Ray; `head` are words for its start there, `change` is what else is changed."""
    storage, token = hosts.folder / "shared", hosts.folder / "token"
    if not storage.exists():
        storage.mkdir()
        token.write_text(secrets.token_hex(32))
        token.chmod(0o600)
        for host in range(1, hosts.count + 1):
            _lay_out_environment(hosts, host)
    config = _config(hosts, name, token, head)
    if change:
        change(config)
    file = hosts.folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(config))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = kept | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    cluster = OnPrem(hosts, file, storage, environment, time.time())
    cluster.ray("up", "--yes", str(file))
    return cluster


def _config(hosts: Hosts, name: str, token: Path, head: str) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "cluster-onprem.yaml").read_text())
    workers = [hosts.address(host) for host in range(2, hosts.count + 1)]
    config["cluster_name"] = name
    config["provider"] |= {"head_ip": hosts.address(1), "worker_ips": workers}
    config["auth"] = {"ssh_user": "root", "ssh_private_key": str(hosts.key)}
    config["file_mounts"]["~/.ray/auth_token"] = str(token)
    for kind, share in (("head", head), ("worker", "--num-cpus=1")):
        commands = config[f"{kind}_start_ray_commands"]
        words = f"ray start {share} --object-store-memory=500000000"
        commands[-1] = commands[-1].replace("ray start", words)
    return config


def _lay_out_environment(hosts: Hosts, host: int) -> None:
    """The virtual environment of these tests where `make setup` would put one. Its project is the
    one of these tests: the host's own copy has to come first."""
    parts = " ".join(f"{sys.prefix}/{part}" for part in ("bin", "lib", "include", "pyvenv.cfg"))
    hosts.ssh(
        host,
        "mkdir -p ~/kneepoint/.venv && cd ~/kneepoint/.venv && "
        f"ln -s {parts} . && touch -d '+1 day' installed && "
        "echo 'export PYTHONPATH=~/kneepoint' >> ~/.bashrc",
    )

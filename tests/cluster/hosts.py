"""Hosts on one machine: each has an address, processes, memory file systems and an SSH server of
its own, and a home folder that outlives it. All see the rest of this machine's file system.
"""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

NEEDED = ("ip", "ssh", "ssh-keygen", "sshd", "rsync", "unshare", "make")
BRIDGE, NETWORK = "kneepoint0", "10.78.0"
HOME = Path.home()
SSH_OPTIONS = (
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", "-o", "BatchMode=yes"),
)
START = """
set -e
hostname {name}
mount --make-rprivate /
mount -t overlay overlay -o lowerdir={home},upperdir={folder}/up,workdir={folder}/work {home}
for each in /tmp /dev/shm /run; do mount -t tmpfs -o mode=1777 tmpfs $each; done
mkdir -p /run/sshd {home}/.ssh
cp {key}.pub {home}/.ssh/authorized_keys
chmod 700 {home}/.ssh
chmod 600 {home}/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /run/hostkey
exec {sshd} -D -e -o HostKey=/run/hostkey -o PidFile=none -o UsePAM=no -o StrictModes=no \
    -o PermitRootLogin=yes -o MaxSessions=50 -o MaxStartups=50
"""
"""What the first process of a host does, in namespaces of its own."""


def missing() -> str:
    """Why there can be no hosts here; empty if there can."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    absent = [name for name in NEEDED if not _which(name)]
    return f"needs {', '.join(absent)}" if absent else ""


class Hosts:
    """Hosts 1 to `count`, host 1 at `address(1)`; made at once, gone after `down`."""

    def __init__(self, folder: Path, count: int) -> None:
        """`folder` is for their homes and logs, and not below /tmp, /run or the home folder."""
        self.folder, self.count = folder, count
        self.key = folder / "key"
        self._first: dict[int, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True)
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        _run("ip", "link", "add", BRIDGE, "type", "bridge")
        _run("ip", "addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        for host in range(1, count + 1):
            self._plug_in(host)
            self.start(host)

    def address(self, host: int) -> str:
        """Its IPv4 address."""
        return f"{NETWORK}.{10 + host}"

    def start(self, host: int) -> None:
        """A new host, or one that was killed: its home is as it was, its memory is not."""
        folder = self.folder / _name(host)
        for part in ("up", "work"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        script = folder / "start.sh"
        sshd = _which("sshd")
        script.write_text(
            START.format(name=_name(host), home=HOME, folder=folder, key=self.key, sshd=sshd)
        )
        own = ("unshare", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child")
        with (folder / "log").open("ab") as log:
            self._first[host] = subprocess.Popen(
                ["ip", "netns", "exec", _name(host), *own, "--mount-proc", "bash", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while self.ssh(host, "true", check=False).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError((folder / "log").read_text()[-500:])
            time.sleep(0.5)

    def ssh(
        self, host: int, command: str, *, check: bool = True, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command there, as a person's login shell would."""
        done = subprocess.run(
            self._ssh(host, command), capture_output=True, text=True, timeout=timeout, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def begin(self, host: int, command: str) -> subprocess.Popen[str]:
        """The same, not waited for."""
        out = subprocess.PIPE
        return subprocess.Popen(
            self._ssh(host, command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True
        )

    def home(self, host: int) -> Path:
        """What the host has written into its home folder, also when it is dead."""
        return self.folder / _name(host) / "up"

    def kill(self, host: int) -> None:
        """The host is gone at once, with all its processes."""
        first = self._first.pop(host)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()

    def cut(self, host: int) -> None:
        """Pulls its network cable."""
        _run("ip", "link", "set", f"k{_name(host)}", "down")

    def mend(self, host: int) -> None:
        """Plugs it in again."""
        _run("ip", "link", "set", f"k{_name(host)}", "up")

    def down(self) -> None:
        """Takes everything away."""
        for host in list(self._first):
            self.kill(host)
        time.sleep(1)
        for host in range(1, self.count + 1):
            subprocess.run(["ip", "netns", "del", _name(host)], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", BRIDGE], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _plug_in(self, host: int) -> None:
        name, cable = _name(host), f"k{_name(host)}"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", cable, "master", BRIDGE, "up")
        inside = ("ip", "-n", name)
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        _run(*inside, "route", "add", "default", "via", f"{NETWORK}.1")

    def _ssh(self, host: int, command: str) -> list[str]:
        login = f"bash --login -ic {shlex.quote(command)}"
        where = f"root@{self.address(host)}"
        return ["ssh", *SSH_OPTIONS, "-i", str(self.key), where, login]


def _name(host: int) -> str:
    return f"kp{host}"


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")

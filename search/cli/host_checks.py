"""Preflight checks of this machine before Ray is started on it, or a cluster is joined from it:
disk space, open files, socket paths, home folder, CUDA_VISIBLE_DEVICES.

Ray itself finds such faults late, and ends in a traceback or waits for ever. Here each is a
ValueError whose message names the variable to set.
"""

import os
import re
import resource
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

LEAST_BYTES = 64 << 20
"""Free disk space for Ray's logs and sockets and for Tune's files; a short search takes about a
tenth."""
LEAST_FILES = 256
"""The least hard limit of open files, up to which Ray raises the soft one."""
SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
"""The length of the longest path that a Unix socket can have."""
LONGEST_SOCKET = "ray/session_2000-01-01_00-00-00_000000_{pid}/sockets/dash_MetricsHead"
"""The longest socket path that Ray makes, below the folder for temporary files."""
MODES = ("token", "disabled")
VISIBLE = "CUDA_VISIBLE_DEVICES"
GPU = re.compile(r"\d+|(GPU|MIG)-\S+")
HIDE_ALL = ("", "-1", "none", "void", "nodevfiles")
DRIVER = Path("/proc/driver/nvidia/gpus")
"""Has an entry for each GPU of this machine."""


def check_start(environment: Mapping[str, str]) -> None:
    """Raises ValueError where Ray could not be started on this machine."""
    _check_files()
    _check_mode(environment)
    _check_gpus(environment)
    _check_home(environment)
    name, folder = ray_folder(environment)
    _check_folder(name, folder, f"{name}={folder}" if name in environment else str(folder))
    _check_room(name, folder)
    _check_socket(name, folder)


def check_join() -> None:
    """Raises ValueError where a running cluster could not be used from this machine."""
    try:
        folder = tempfile.gettempdir()
    except OSError as error:
        raise ValueError(
            "no folder for temporary files can be written: set TMPDIR to one that can"
        ) from error
    _check_room("TMPDIR", Path(folder))


def check_user() -> None:
    """Raises ValueError where the home folder is unknown: importing Ray's modules would fail."""
    try:
        Path.home()
    except RuntimeError as error:
        raise ValueError(
            "HOME is not set, and this user has no home folder: set HOME to a folder that can be "
            "written"
        ) from error


def ray_folder(environment: Mapping[str, str]) -> tuple[str, Path]:
    """The environment variable that decides Ray's temporary folder, and that folder."""
    names = ("RAY_TMPDIR", "TMPDIR") if sys.platform.startswith("linux") else ("RAY_TMPDIR",)
    for name in names:
        if name in environment:  # an empty one too
            return name, Path(environment[name])
    return "RAY_TMPDIR", Path("/tmp")


def _check_folder(name: str, folder: Path, said: str) -> None:
    if not folder.is_absolute():
        raise ValueError(f"{said} is no whole path: set {name} to a folder from / on")
    if not folder.is_dir():
        raise ValueError(f"{said} is no folder: make it, or set {name} to one that can be written")
    ours = folder / "ray"
    if os.path.lexists(ours):
        if not ours.is_dir():
            raise ValueError(f"{ours} is in the way of Ray's folder: set RAY_TMPDIR to another one")
        if not _can_write(ours):
            raise ValueError(
                f"{ours} cannot be written by this user, and Ray would: set RAY_TMPDIR to a folder "
                "of your own, with a short path"
            )
    elif not _can_write(folder):
        raise ValueError(f"{said} cannot be written: set RAY_TMPDIR to a folder that can")


def _check_room(name: str, folder: Path) -> None:
    there = os.statvfs(folder)
    free = there.f_bavail * there.f_frsize
    if free < LEAST_BYTES:
        raise ValueError(
            f"{folder} has {free / 1e6:.1f} MB free, and Ray needs {LEAST_BYTES / 1e6:.0f} MB for "
            f"temporary files: set {name} to a folder with more"
        )


def _check_socket(name: str, folder: Path) -> None:
    longest = folder / LONGEST_SOCKET.format(pid=os.getpid())
    over = len(os.fsencode(longest)) - SOCKET_BYTES
    if over > 0:
        raise ValueError(
            f"{folder} is {over} {'byte' if over == 1 else 'bytes'} too long for the path of a "
            f"socket below it: set {name} to a shorter one, as /tmp"
        )


def _check_home(environment: Mapping[str, str]) -> None:
    """Raises ValueError where Ray's auth token can be neither read nor written: it lies in the home
    folder, unless the environment names another one or disables it."""
    path = environment.get("RAY_AUTH_TOKEN_PATH")
    if path and not (os.access(path, os.R_OK) and Path(path).is_file()):
        raise ValueError(f"RAY_AUTH_TOKEN_PATH={path} cannot be read: set it to a file or unset it")
    if path or environment.get("RAY_AUTH_TOKEN") or _mode(environment) == "disabled":
        return
    home = _home(environment)
    token = home / ".ray" / "auth_token"
    if token.is_file() and os.access(token, os.R_OK):
        return
    nearest = next(path for path in (token, token.parent, home) if path.exists())
    if not _can_write(nearest):
        raise ValueError(
            f"{nearest} cannot be written, and Ray keeps a token in {token}: set HOME to a folder "
            "that can, or RAY_AUTH_TOKEN_PATH to a file with a token"
        )


def _home(environment: Mapping[str, str]) -> Path:
    home = Path(environment["HOME"]) if "HOME" in environment else Path.home()
    if not (home.is_absolute() and home.is_dir()):
        raise ValueError(
            f"the home folder {str(home)!r} is not there: set HOME to a folder that can be written"
        )
    return home


def _mode(environment: Mapping[str, str]) -> str:
    return environment.get("RAY_AUTH_MODE", MODES[0]).lower()


def _check_mode(environment: Mapping[str, str]) -> None:
    """Raises ValueError for an unknown RAY_AUTH_MODE, which Ray takes for no authentication."""
    if _mode(environment) not in MODES:
        raise ValueError(
            f"RAY_AUTH_MODE={environment['RAY_AUTH_MODE']}: {' or '.join(MODES)}, or unset it"
        )


def hides_gpus(environment: Mapping[str, str]) -> bool:
    """Whether CUDA_VISIBLE_DEVICES hides all GPUs from this process."""
    return environment.get(VISIBLE, "0").lower() in HIDE_ALL


def _check_gpus(environment: Mapping[str, str]) -> None:
    """Raises ValueError for a CUDA_VISIBLE_DEVICES with an unknown device: Ray counts its entries,
    while torch sees only the devices before the first invalid one."""
    if VISIBLE not in environment or hides_gpus(environment):
        return
    there = len(list(DRIVER.iterdir())) if DRIVER.is_dir() else 0
    for word in environment[VISIBLE].split(","):
        known = GPU.fullmatch(word.strip())
        if not known or (there and word.strip().isdigit() and int(word) >= there):
            raise ValueError(
                f"{VISIBLE}={environment[VISIBLE]}: {word!r} is no GPU of this machine; give "
                "numbers as 0,1, or nothing to train on the CPU"
            )


def _check_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < LEAST_FILES:
        raise ValueError(
            f"this process may open {most} files, and Ray needs {LEAST_FILES} or more: raise it "
            f"with ulimit -n {LEAST_FILES * 16}"
        )


def _can_write(path: Path) -> bool:
    return os.access(path, os.W_OK if path.is_file() else os.W_OK | os.X_OK)

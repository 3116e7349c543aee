"""A run's folder: its creation and lookup by name, and run.json with the run's metadata."""

import datetime
import json
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from models.durable import write_whole

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def create(out: Path, name: str | None) -> Path:
    """Makes the folder of a new run; ValueError where the name is bad or taken already."""
    if name is None:
        base = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        name = next(n for n in _with_suffixes(base) if not (out / n).exists())
    if not NAME.fullmatch(name):
        raise ValueError(f"--name {name!r}: letters, digits, dots, dashes, and underscores only")
    run = out / name
    try:
        run.mkdir(parents=True)
    except FileExistsError:
        raise ValueError(f"run {run} exists already: choose another --name") from None
    except OSError as error:
        raise ValueError(f"--out {out} cannot be written ({error.strerror})") from error
    return run


def of_home(path: Path | str) -> Path:
    """A path with ~ expanded; ValueError where there is no such home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from error


def find(out: Path, name: str) -> Path:
    """The folder of the run `name`: one in `out`, or a path; ValueError where there is none."""
    for folder in (out / name, Path(name)):
        if (folder / "run.json").is_file() and (folder / "ledger").is_dir():
            return folder if folder.name not in ("", "..") else folder.resolve()
    raise ValueError(f"no run {name}: neither in {out} nor a folder with run.json and a ledger")


def read_info(run: Path) -> dict[str, Any]:
    """The fields of run.json; ValueError where it cannot be read."""
    try:
        info = json.loads((run / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{run / 'run.json'} cannot be read ({error})") from error
    if not isinstance(info, dict):
        raise ValueError(f"{run / 'run.json'} is not a run's")
    return info


def _with_suffixes(base: str) -> Any:
    yield base
    for number in range(2, 1000):
        yield f"{base}-{number}"


def write_info(run: Path, **fields: Any) -> dict[str, Any]:
    """Sets fields of run.json, keeping the others; returns all of them."""
    path = run / "run.json"
    info = json.loads(path.read_text()) if path.exists() else {}
    info |= fields
    write_whole(path, (json.dumps(info, indent=1, default=str) + "\n").encode())
    return info


def now() -> str:
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that affect results."""
    names = ("kneepoint", "torch", "ray", "optuna")
    return {"python": platform.python_version()} | {n: metadata.version(n) for n in names}


def git_commit() -> str | None:
    """The commit of this code, None where it is not a git checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def hardware() -> dict[str, Any]:
    """This machine's processor, cores and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": _processor(), "cores": os.cpu_count(), "memory_bytes": memory}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

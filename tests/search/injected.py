"""Faults injected into the workers of a search, and into the process that leads it.

A fault waits as files in a folder: who does what it is for takes one of them and fails.
"""

import contextlib
import errno
import functools
import gc
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ray import cloudpickle

from models import durable
from models.training.training_run import Training
from search.lanes.worker import TrialSettings
from search.session import run_session
from search.storage.store import Folder

# Workers cannot import tests: what is defined here travels to them whole.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

TRIES = 5
"""Of a worker, at what a storage does not do."""


class Faults:
    """Faults that wait to happen, by kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        folder.mkdir(exist_ok=True)

    def put(self, kind: str, times: int = 1) -> None:
        """The next so many that do what `kind` is for fail."""
        for number in range(times):
            (Path(self._folder) / f"{kind}.{number}").touch()

    def left(self, kind: str) -> int:
        return len(list(Path(self._folder).glob(f"{kind}.*")))

    def clear(self) -> None:
        for path in Path(self._folder).iterdir():
            path.unlink(missing_ok=True)

    def strikes(self, kind: str) -> bool:
        """Whether this one fails; takes one of those that wait."""
        for path in Path(self._folder).glob(f"{kind}.*"):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                return True
        return False


def io_error(*arguments: Any) -> None:
    raise OSError(errno.EIO, "Input/output error")


class FaultyFolder(Folder):
    """A store of checkpoints with which something is wrong."""

    def __init__(self, path: str, faults: Faults) -> None:
        super().__init__(path)
        object.__setattr__(self, "faults", faults)

    def read(self, name: str) -> bytes:
        if name.endswith(".pt") and self.faults.strikes("read"):
            io_error()
        content = super().read(name)
        if name.endswith(".pt") and self.faults.strikes("load"):
            return content[: len(content) // 2]
        return content

    def write(self, name: str, content: bytes) -> None:
        if name.endswith(".pt") and self.faults.strikes("write"):
            io_error()
        if name.endswith(".pt") and self.faults.strikes("full"):
            raise OSError(errno.ENOSPC, "No space left on device")
        if name.endswith(".pt") and self.faults.strikes("fsync"):
            before, durable.os.fsync = durable.os.fsync, io_error
            try:
                super().write(name, content)
            finally:
                durable.os.fsync = before
        super().write(name, content)


class FaultyTraining(Training):
    """Fails in the middle of an epoch, or finds its lane gone after it."""

    def step(self, images, labels) -> None:
        if FAULTS and FAULTS[0].strikes("step"):
            raise RuntimeError("CUDA error: unspecified launch failure (injected)")
        if FAULTS and FAULTS[0].strikes("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if FAULTS and FAULTS[0].strikes("connection"):
            for each in [o for o in gc.get_objects() if isinstance(o, Connection)]:
                each.close()
        super().step(images, labels)


FAULTS: list[Faults] = []
"""In a worker: those of its search."""


def make_training(faults: Faults, *arguments: Any, **named: Any) -> Training:
    FAULTS[:] = [faults]
    return FaultyTraining(*arguments, **named)


@contextlib.contextmanager
def injected(faults: Faults) -> Iterator[None]:
    """Sessions of this process train with `faults`; its own waits for the disk fail by kind
    `ledger`."""
    plain, fsync = run_session.TrialSettings, os.fsync

    def settings(**named: Any) -> TrialSettings:
        store = FaultyFolder(named.pop("store").path, faults)
        make = functools.partial(make_training, faults)
        return TrialSettings(store=store, make_training=make, **named)

    def faulty_fsync(handle: int) -> None:
        if faults.strikes("ledger"):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    run_session.TrialSettings, os.fsync = settings, faulty_fsync
    try:
        yield
    finally:
        run_session.TrialSettings, os.fsync = plain, fsync

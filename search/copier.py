"""Copies a run's folder to its storage while it grows: all but checkpoints, which lie there."""

import functools
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from search.store import Store
from search.weights import CHECKPOINTS

EVERY_SECONDS = 10.0
LEDGER = "ledger"
_LEFT_OUT = {CHECKPOINTS, "run.lock"}


class Delayed:
    """A store that deletes later: when the ledger that says so has been copied.

    Else who goes on from an older copy would miss the checkpoints that it tells of.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._obsolete: list[Callable[[], None]] = []

    def write(self, name: str, content: bytes) -> None:
        """At once."""
        self._store.write(name, content)

    def read(self, name: str) -> bytes:
        """At once."""
        return self._store.read(name)

    def names(self, folder: str) -> list[str]:
        """What is there, some of it to be deleted."""
        return self._store.names(folder)

    def delete(self, name: str) -> None:
        """Later."""
        self._obsolete.append(functools.partial(self._store.delete, name))

    def delete_folder(self, folder: str) -> None:
        """Later."""
        self._obsolete.append(functools.partial(self._store.delete_folder, folder))

    def take(self) -> list[Callable[[], None]]:
        """What is to be deleted once all that is written by now has been copied."""
        taken, self._obsolete = self._obsolete, []
        return taken


class Copier:
    """Copies what has changed, every ten seconds, while it is entered; all of it when it is left.

    Where the storage cannot be written it says so once, and goes on trying.
    """

    def __init__(
        self, run: Path, store: Store, say: Callable[[str], None], every: float = EVERY_SECONDS
    ) -> None:
        self._run, self._store, self._say, self._every = run, store, say, every
        self.checkpoints = Delayed(store)
        self._copied: dict[str, tuple[int, int]] = {}
        self._obsolete: list[Callable[[], None]] = []
        self._left = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Copier":
        self.copy()
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._left.set()
        self._thread.join()
        self._try()

    def copy(self) -> None:
        """Copies what has changed, the ledger first, then deletes what that made obsolete; OSError
        where it cannot."""
        self._obsolete += self.checkpoints.take()
        for name in sorted(self._files(), key=lambda name: (not name.startswith(LEDGER), name)):
            path = self._run / name
            try:
                stamp = (path.stat().st_mtime_ns, path.stat().st_size)
                if self._copied.get(name) == stamp:
                    continue
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # replaced or swept in the meantime
            self._store.write(name, content)
            self._copied[name] = stamp
        while self._obsolete:
            self._obsolete[0]()
            del self._obsolete[0]

    def _files(self) -> list[str]:
        found = []
        for folder, folders, names in os.walk(self._run):
            if folder == str(self._run):
                folders[:] = [name for name in folders if name not in _LEFT_OUT]
            base = Path(folder).relative_to(self._run)
            found += [str(base / name) for name in names if _is_content(name)]
        return found

    def _work(self) -> None:
        while not self._left.wait(self._every):
            self._try()

    def _try(self) -> None:
        try:
            self.copy()
            self._failed = False
        except OSError as error:
            if not self._failed:
                reason = (str(error).strip().splitlines() or ["unknown"])[0]
                self._say(f"Notice: {self._store} cannot be written, trying again ({reason})")
            self._failed = True


def fetch(store: Store, run: Path) -> bool:
    """Makes the run's folder `run` from its storage, whole or not at all; whether there was one.

    Raises ValueError for a name in the storage that would lie outside the folder.
    """
    part = run.with_name(f".{run.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        if not _fetch(store, part):
            return False
        part.rename(run)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return True


def _fetch(store: Store, run: Path) -> bool:
    names = [name for name in store.names("") if name.split("/")[0] not in _LEFT_OUT]
    if "run.json" not in names:
        return False
    for name in names:
        path = (run / name).resolve()
        if not path.is_relative_to(run.resolve()):
            raise ValueError(f"{store} holds {name!r}, which is no file of a run")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(name))
    return True


def _is_content(name: str) -> bool:
    return name not in _LEFT_OUT and not name.startswith(".") and not name.endswith(".tmp")

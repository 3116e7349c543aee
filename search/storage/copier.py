"""Replicates a run's folder to its storage while the run goes on, and fetches it back.

Checkpoints are not copied: workers write them to the storage directly.
"""

import contextlib
import fnmatch
import functools
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from models.durable import write_whole
from search.storage.background import Repeated
from search.storage.lease import FILE, Lease, TakenOver
from search.storage.store import CHECKPOINTS, Store

EVERY_SECONDS = 10.0
LEDGER = "ledger"
SEGMENTS = f"{LEDGER}/[0-9]*.jsonl"
LAST_TRIES, LAST_SECONDS = 3, 2.0
"""How often the last copy is tried, and the seconds between tries."""
_LEFT_OUT = {CHECKPOINTS, "run.lock", FILE}


class DelayedDeletion:
    """A store that defers deletions until the ledger lines that make them safe have been copied.

    Otherwise a resume from an older copy of the ledger would miss checkpoints that it refers to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._obsolete: dict[str, Callable[[str], None]] = {}

    def write(self, name: str, content: bytes) -> None:
        """At once."""
        self._store.write(name, content)

    def read(self, name: str) -> bytes:
        """At once."""
        return self._store.read(name)

    def names(self, folder: str) -> list[str]:
        """The files below `folder`, those with a deferred deletion among them."""
        return self._store.names(folder)

    def keep(self, name: str) -> None:
        """Forgets a deferred deletion of a file that is needed: it was written again since."""
        self._obsolete.pop(name, None)

    def delete(self, name: str) -> None:
        """Deferred."""
        self._obsolete[name] = self._store.delete

    def delete_folder(self, folder: str) -> None:
        """Deferred."""
        self._obsolete[folder] = self._store.delete_folder

    def take(self) -> list[Callable[[], None]]:
        """The deferred deletions, to be done once all that is written by now has been copied."""
        taken, self._obsolete = self._obsolete, {}
        return [functools.partial(delete, name) for name, delete in taken.items()]


class Copier:
    """Copies changed files of a run's folder to its storage, periodically while entered and once
    more on exit.

    A storage that cannot be written is reported once, and tried on. Once another process has taken
    the run over nothing more is copied.
    """

    def __init__(
        self,
        run: Path,
        store: Store,
        say: Callable[[str], None],
        every: float = EVERY_SECONDS,
        lease: Lease | None = None,
    ) -> None:
        self._run, self._store, self._say, self._lease = run, store, say, lease
        self.checkpoints = DelayedDeletion(store)
        self._copied: dict[str, tuple[int, int]] = {}
        self._obsolete: list[Callable[[], None]] = []
        self._old_ledger = True
        """Whether the storage may still hold segments of another ledger."""
        self._wait = min(every, LAST_SECONDS)
        self._copies = Repeated(self._copy_own, every, say, f"{store} cannot be written")

    def __enter__(self) -> "Copier":
        self._copies.once()
        self._copies.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._copies.stop()
        reason = self._copies.once()
        for _ in range(LAST_TRIES - 1):
            if reason:
                time.sleep(self._wait)
                reason = self._copies.once()
        if reason:
            self._say(
                f"Notice: the last copy of {self._run} to {self._store} failed ({reason}): what it "
                "lacks is here alone"
            )

    def copy(self) -> None:
        """Copies what has changed, the ledger first, then deletes what that made obsolete; OSError
        where it cannot, TakenOver where it must not."""
        self._check_lease(in_storage=True)
        self._obsolete += self.checkpoints.take()
        names = files(self._run)
        for name in names:
            path = self._run / name
            try:
                stamp = (path.stat().st_mtime_ns, path.stat().st_size)
                if self._copied.get(name) == stamp:
                    continue
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # replaced or swept in the meantime
            self._check_lease()
            self._store.write(name, content)
            self._copied[name] = stamp
        if self._old_ledger:
            for name in _foreign(self._store.names(LEDGER), names):
                self._store.delete(name)
            self._old_ledger = False
        while self._obsolete:
            self._check_lease()
            self._obsolete[0]()
            del self._obsolete[0]

    def _copy_own(self) -> None:
        with contextlib.suppress(TakenOver):  # which has been told
            self.copy()

    def _check_lease(self, *, in_storage: bool = False) -> None:
        if self._lease is None:
            return
        if in_storage:
            self._lease.check()
        elif self._lease.lost:
            raise TakenOver(self._lease.lost)


def files(run: Path) -> list[str]:
    """The names of the files that are copied of a run's folder, the ledger's first; OSError where
    the folder cannot be listed."""
    found = []
    for folder, folders, names in os.walk(run, onerror=_raise):
        if folder == str(run):
            folders[:] = [name for name in folders if name not in _LEFT_OUT]
        base = Path(folder).relative_to(run)
        found += [str(base / name) for name in names if _is_content(name)]
    return sorted(found, key=lambda name: (not name.startswith(LEDGER), name))


def difference(run: Path, store: Store) -> str:
    """The first difference between a run's folder and its storage, read back and compared by
    SHA-256, in a line; empty where the copy is complete. OSError where one cannot be read."""
    there, names = set(store.names("")), files(run)
    for name in names:
        if name not in there:
            return f"{name} is not there"
        if hashlib.sha256(store.read(name)).digest() != _hash(run / name):
            return f"{name} is another one there"
    foreign = _foreign(there, names)
    return f"{foreign[0]} is of another ledger" if foreign else ""


def _hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _foreign(there: Iterable[str], names: Iterable[str]) -> list[str]:
    """Segments of a ledger in the storage that are not among the run's files."""
    return sorted(set(fnmatch.filter(there, SEGMENTS)) - set(names))


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # swept in the meantime
        raise error


def fetch(store: Store, run: Path) -> bool:
    """Downloads a run from its storage into the folder `run`, atomically; whether there was one.

    Raises ValueError for a name in the storage that would lie outside the folder.
    """
    with fetched(store, run) as part:
        if part is None:
            return False
        part.rename(run)
    return True


@contextlib.contextmanager
def fetched(store: Store, run: Path) -> Iterator[Path | None]:
    """A run's copy, downloaded into a temporary folder beside `run`, which the caller may rename;
    it is deleted on exit. None where the storage has no such run."""
    part = run.with_name(f".{run.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        yield part if _fetch(store, part) else None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fetch(store: Store, run: Path) -> bool:
    names = [name for name in store.names("") if _is_copied(name)]
    if "run.json" not in names:
        return False
    for name in names:
        path = (run / name).resolve()
        if not path.is_relative_to(run.resolve()):
            raise ValueError(f"{store} holds {name!r}, which is no file of a run")
        write_whole(path, store.read(name))
    return True


def _is_copied(name: str) -> bool:
    return name.split("/")[0] not in _LEFT_OUT and PurePosixPath(name).name[0] != "."


def _is_content(name: str) -> bool:
    return name not in _LEFT_OUT and not name.startswith(".") and not name.endswith(".tmp")

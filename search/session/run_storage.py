"""Sets up a run's folder, its storage, its lease and the copying of the one to the other."""

import contextlib
import dataclasses
import functools
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from models.error_text import first_line
from search.cli.options import RunOptions, SearchOptions
from search.record import ledger, run_folder
from search.session.earlier_run import Earlier
from search.session.newest_copy import bring_up_to_date
from search.storage.copier import LAST_SECONDS, LAST_TRIES, LEDGER, Copier, difference
from search.storage.lease import Lease, TakenOver
from search.storage.store import Folder, Store, below, check_writable, open_store


def with_whole_paths(options: RunOptions) -> RunOptions:
    """Options with absolute paths, which a resume from another working directory finds again, and
    with ~ expanded (as the shell does not in --out=~/runs). ValueError where there is no such
    home folder."""
    storage, data_dir = options.storage, options.data_dir
    if storage is not None:
        storage = whole_storage(storage)
    if data_dir is not None:
        data_dir = whole(data_dir)
    if isinstance(options, SearchOptions):
        warm, resume = _of_home(options.warm_start), _of_home(options.resume)
        options = dataclasses.replace(options, warm_start=warm, resume=resume)
    out = run_folder.of_home(options.out)
    return dataclasses.replace(options, out=out, storage=storage, data_dir=data_dir)


def whole(path: Path | str) -> Path:
    """The absolute path, with ~ expanded."""
    return run_folder.of_home(path).resolve()


def whole_storage(storage: str) -> str:
    """The canonical text of a storage: an absolute path, or a URI without a trailing slash."""
    local = storage.removeprefix("file://")
    return storage.rstrip("/") if "://" in local else str(whole(local))


def _of_home(name: str | None) -> str | None:
    """A run's name or folder, with ~ expanded."""
    return name if name is None else str(run_folder.of_home(name))


def open_storage(options: RunOptions) -> Store | None:
    """The storage of --storage, in which each run is a folder; ValueError where it cannot be
    written from here."""
    if options.storage is None:
        return None
    storage = open_store(options.storage)
    try:
        check_writable(storage, "this machine")
    except OSError as error:
        raise ValueError(f"--storage {error}") from error
    return storage


def new_folder(options: RunOptions, storage: Store | None) -> Path:
    """Creates the folder of a new run; ValueError where its storage has a run of that name."""
    folder = run_folder.create(options.out, options.name)
    try:
        taken = storage is not None and bool(below(storage, folder.name).names("ledger"))
    except OSError as error:
        folder.rmdir()
        raise ValueError(f"--storage {storage} cannot be read: {first_line(error)}") from error
    if taken:
        folder.rmdir()
        raise ValueError(
            f"--storage {storage} holds a run {folder.name} already: go on with it by --resume, or "
            "choose another --name"
        )
    return folder


def apart(folder: Path, storage: Store | None) -> Store | None:
    """The storage; None where the run's folder is itself the run's place in the storage."""
    if storage is None or below(storage, folder.name) == Folder(str(folder.resolve())):
        return None
    return storage


def checkpoints(folder: Path, storage: Store | None) -> Store:
    """The store of the checkpoints of the run in `folder`."""
    return Folder(str(folder.resolve())) if storage is None else below(storage, folder.name)


def take_lease(
    folder: Path, storage: Store | None, earlier: Earlier | None, console: Console
) -> Lease:
    """Takes the lease of the run in `folder`, a resumed or a new one; ValueError where another
    process trains it. Then brings a resumed run's folder up to date with the storage."""
    store, say = checkpoints(folder, storage), _printing(console)
    known = ledger.generation(ledger.read(folder / LEDGER)) if earlier else 0
    take_over = earlier is not None and earlier.take_over
    try:
        lease = Lease(store, folder.name, known, say, take_over=take_over)
    except (OSError, ValueError) as error:
        if earlier is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise ValueError(first_line(error)) from error
    try:
        if earlier and storage is not None:
            bring_up_to_date(folder.resolve(), store, say)
    except (OSError, ValueError) as error:
        lease.release()
        raise ValueError(first_line(error)) from error
    return lease


def _printing(console: Console) -> Callable[[str], None]:
    return functools.partial(console.print, soft_wrap=True, highlight=False, markup=False)


@contextlib.contextmanager
def kept(
    folder: Path, storage: Store | None, console: Console, lease: Lease | None = None
) -> Iterator[Store]:
    """The store of checkpoints; while entered `folder` is copied to its `storage`, if it has
    one."""
    store = checkpoints(folder, storage)
    if storage is None:
        yield store
        return
    with Copier(folder, store, _printing(console), lease=lease) as copier:
        yield copier.checkpoints


@dataclass
class LastCopy:
    """The final copy of a run to its storage, verified before --cluster-down ends the machine; its
    fields are set by the session."""

    folder: Path | None = None
    storage: Store | None = None
    lease: Lease | None = None

    def missing(self) -> str:
        """Copies what the storage lacks, and reads all of it back; why it is incomplete, in a line.

        Empty where nothing of the run would be lost.
        """
        if self.folder is None:
            return "it is not known what of the run is in its storage"
        if self.storage is None:  # the folder is its own place there
            return ""
        store = checkpoints(self.folder, self.storage)
        reason = ""
        for number in range(LAST_TRIES):
            time.sleep(LAST_SECONDS if number else 0)
            try:
                Copier(self.folder, store, _unheard, lease=self.lease).copy()
                reason = difference(self.folder, store)
            except TakenOver as error:
                return f"the run was taken over by {error}"
            except Exception as error:
                reason = first_line(error)
            if not reason:
                return ""
        return f"the copy of {self.folder} in {store} is not complete: {reason}"


def _unheard(line: str) -> None:
    """Discards the copier's notices: `missing` returns the reason."""

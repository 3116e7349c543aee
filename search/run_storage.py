"""Where a run's folder and its storage lie, and that the one is copied to the other."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from search import run_folder
from search.copier import Copier
from search.options import RunOptions, SearchOptions
from search.store import Folder, Store, below, check_writable, open_store


def with_whole_paths(options: RunOptions) -> RunOptions:
    """So that a run that goes on from another folder finds what it means; a ~ that the shell left
    (as in --out=~/runs) is the home folder. ValueError where there is no such home."""
    storage, data_dir = options.storage, options.data_dir
    if storage is not None and "://" not in storage:
        storage = str(whole(storage))
    if data_dir is not None:
        data_dir = whole(data_dir)
    if isinstance(options, SearchOptions):
        warm, resume = _of_home(options.warm_start), _of_home(options.resume)
        options = dataclasses.replace(options, warm_start=warm, resume=resume)
    out = run_folder.of_home(options.out)
    return dataclasses.replace(options, out=out, storage=storage, data_dir=data_dir)


def whole(path: Path | str) -> Path:
    """From / on."""
    return run_folder.of_home(path).resolve()


def _of_home(name: str | None) -> str | None:
    """A run by its name or folder."""
    return name if name is None else str(run_folder.of_home(name))


def open_storage(options: RunOptions) -> Store | None:
    """The storage of all runs; ValueError for one that cannot be written from here."""
    if options.storage is None:
        return None
    storage = open_store(options.storage)
    try:
        check_writable(storage, "this machine")
    except OSError as error:
        raise ValueError(f"--storage {error}") from error
    return storage


def new_folder(options: RunOptions, storage: Store | None) -> Path:
    """The folder of a new run; ValueError where its storage has a run of that name."""
    folder = run_folder.create(options.out, options.name)
    if storage is not None and below(storage, folder.name).names("ledger"):
        folder.rmdir()
        raise ValueError(
            f"--storage {storage} holds a run {folder.name} already: go on with it by --resume, or "
            "choose another --name"
        )
    return folder


def apart(folder: Path, storage: Store | None) -> Store | None:
    """The storage, unless the run's folder is its own place there."""
    if storage is None or below(storage, folder.name) == Folder(str(folder.resolve())):
        return None
    return storage


def checkpoints(folder: Path, storage: Store | None) -> Store:
    """Where the checkpoints of the run in `folder` lie."""
    return Folder(str(folder.resolve())) if storage is None else below(storage, folder.name)


@contextlib.contextmanager
def kept(folder: Path, storage: Store | None, console: Console) -> Iterator[Store]:
    """The store of checkpoints; while it is entered `folder` is copied to its `storage`, where it
    has any."""
    store = checkpoints(folder, storage)
    if storage is None:
        yield store
        return
    say = functools.partial(console.print, soft_wrap=True)
    with Copier(folder, store, say) as copier:
        yield copier.checkpoints

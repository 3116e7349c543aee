"""Resumes or extends a run (--resume, --extend): finds its newest copy, restores its options and
state, and checks which options may be changed."""

from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from models.design import from_dict
from models.error_text import first_line
from search.cli.credentials import without_secrets
from search.cli.options import RunOptions, SearchOptions, TranscriptOptions
from search.record import run_folder
from search.record.state import SearchState, load
from search.session.earlier_run import Earlier
from search.session.newest_copy import bring_up_to_date
from search.session.run_storage import whole_storage
from search.space.constraints import Limits
from search.storage.copier import LEDGER, fetch
from search.storage.lease import await_free
from search.storage.store import Folder, Store, below, open_store
from search.terms import budget as budgets
from search.terms.price import bill_of

ANEW = {"budget", "trials", "resume", "extend", "out", "address", "parallel", "price"}
ANEW |= {
    "device",
    "data_dir",  # a new place of the same images
    "take_over",
    "workers_per_trial",
    "gpus_per_worker",
    "cpus_per_worker",
    "cluster_down",
    "stop_when_gain_below",
}
"""Options that a resume may change; the others stay as the run had them."""


def find(given: SearchOptions, named: Collection[str] | None = None) -> Earlier:
    """The run that --resume names, with the options with which it goes on; ValueError where it
    cannot. `named` are the fields of the options that were given; by default those that differ
    from their defaults."""
    assert given.resume is not None
    _fetch(given)
    folder = run_folder.find(given.out, given.resume)
    if folder.name != folder.resolve().name:  # "." or a link
        folder = folder.resolve()
    info = run_folder.read_info(folder)
    known = load(folder)
    options = _options(given, info, _named(given) if named is None else named)
    if options.storage is not None and info.get("name", folder.name) != folder.name:
        raise ValueError(
            f"{folder} is a copy of run {info['name']}, and {options.storage} knows that run by "
            "this name: only a folder of this name can go on"
        )
    # A run that was cut or failed after its last trial may still lack its winner.
    if known.ended == "end" and info.get("state") == "finished" and not given.extend:
        raise ValueError(
            f"run {folder} has ended ({info.get('state')}): give it a further budget with "
            "--extend --budget 30min"
        )
    if given.extend:
        options = _extended(options, given, known)
    _check_there(folder, options.data_dir)
    warm = tuple((str(name), from_dict(design)) for name, design in info.get("warm_designs", []))
    data = info.get("dataset", {})
    fingerprint = str(data.get("fingerprint", ""))
    mean, deviation = (tuple(data.get(name, ())) for name in ("mean", "deviation"))
    pixels = (mean, deviation) if mean and deviation else None
    return Earlier(folder, options, known, fingerprint, warm, pixels, given.take_over)


def _check_there(folder: Path, images: Path | None) -> None:
    if images is not None and not images.exists():
        where = "" if images.is_absolute() else f" below {Path.cwd()}"
        raise ValueError(
            f"the images of {folder} are no longer in {images}{where}: say where they are with "
            "--data-dir"
        )


def _named(given: SearchOptions) -> set[str]:
    plain = SearchOptions()
    return {f.name for f in fields(given) if getattr(given, f.name) != getattr(plain, f.name)}


def _fetch(given: SearchOptions) -> None:
    """Makes the run's folder the newest copy of the run, from its storage where that is newer."""
    folder = _folder(given)
    is_here = (folder / "run.json").exists()
    own = _storage_of(folder) if is_here else None
    storage = own if given.storage is None else whole_storage(given.storage)
    # A run that is here with another storage is refused for that, untouched.
    if storage is None or (is_here and own != storage):
        return
    if not run_folder.NAME.fullmatch(folder.name):
        return
    try:
        _take_newest(folder, below(open_store(storage), folder.name), given.take_over)
    except OSError as error:
        raise ValueError(f"--storage {storage} cannot be read: {first_line(error)}") from error


def _folder(given: SearchOptions) -> Path:
    """The absolute path of the folder of the run to resume, or that it is to be fetched into."""
    assert given.resume is not None
    try:
        found = run_folder.find(given.out, given.resume)
    except ValueError:
        is_path = len(Path(given.resume).parts) > 1
        found = Path(given.resume) if is_path else given.out / given.resume
    return found.resolve()


def _storage_of(folder: Path) -> str | None:
    """The storage in a run's run.json, without the secrets that old versions may have stored."""
    settings = run_folder.read_info(folder).get("settings")
    found = settings.get("storage") if isinstance(settings, dict) else None
    return whole_storage(without_secrets(found)) if isinstance(found, str) else None


def _take_newest(folder: Path, store: Store, take_over: bool) -> None:
    if store == Folder(str(folder)):
        return
    if not take_over:
        await_free(store, folder.name, print)
    if not (folder / LEDGER).is_dir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        if not folder.exists():
            fetch(store, folder)
        return
    with RunLock(folder):
        bring_up_to_date(folder, store, print)


def _options(given: SearchOptions, info: dict[str, Any], named: Collection[str]) -> RunOptions:
    kind = TranscriptOptions if info.get("command") == "transcript" else SearchOptions
    stored = info.get("settings")
    if not isinstance(stored, dict):
        raise ValueError("run.json has no settings to go on with")
    names = {field.name for field in fields(kind)}
    options = kind(**{name: _restored(stored[name]) for name in stored if name in names})
    storage = options.storage
    options = replace(
        options,
        out=given.out,
        storage=None if storage is None else whole_storage(without_secrets(storage)),
        address=given.address,
        cluster_down=given.cluster_down,
        data_dir=run_folder.of_home(options.data_dir) if options.data_dir else None,
    )
    changed: dict[str, Any] = {}
    for field in fields(SearchOptions):
        value = getattr(given, field.name)
        if field.name not in named or value == getattr(options, field.name, None):
            continue
        if field.name not in ANEW:
            name = field.name.replace("_", "-")
            raise ValueError(f"--{name} belongs to the run that goes on and cannot be changed")
        if field.name in names:
            changed[field.name] = value
    return replace(options, **changed)


def _restored(value: Any) -> Any:
    """A value as it was before JSON, which has no tuples."""
    return tuple(value) if isinstance(value, list) else value


def _extended(options: RunOptions, given: SearchOptions, known: SearchState) -> RunOptions:
    """Options whose budget is that of `given` on top of what the run has used."""
    if not isinstance(options, SearchOptions):
        return options
    further = budgets.parse(given.budget)
    limits = []
    if further.seconds < float("inf"):
        limits.append(f"{_digits(known.wall_seconds + further.seconds)}s")
    if further.trials < float("inf"):
        limits.append(f"{len(known.trials) + int(further.trials)}trials")
    used = bill_of(known.held(), options.price)
    if further.gpu_hours < float("inf"):
        limits.append(f"{_digits((used.gpu_hours or 0.0) + further.gpu_hours)}gpuh")
    if further.money < float("inf"):
        limits.append(f"${_digits((used.cost or 0.0) + further.money)}")
    trials = len(known.trials) + given.trials if given.trials else None
    return replace(options, budget=tuple(limits), trials=trials)


def _digits(amount: float) -> str:
    return f"{amount:.9f}".rstrip("0").rstrip(".")


def check_paused(known: SearchState, limits: Limits) -> None:
    """Raises ValueError where a running or paused trial of `known` is not within `limits`."""
    for trial in known.trials.values():
        why = limits.refusal(trial.design) if trial.state in ("running", "paused") else ""
        if why:
            raise ValueError(f"trial {trial.trial} of the run cannot go on so: {why}")


class RunLock:
    """A file lock by which only one process of this file system trains a run; ValueError where it
    is held."""

    def __init__(self, run: Path) -> None:
        self._lock = FileLock(str(run / "run.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(f"run {run} is being trained by another process") from None
        except OSError as error:
            raise ValueError(f"run {run} cannot be written ({error.strerror})") from error

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *raised: object) -> None:
        self.release()

    def release(self) -> None:
        """Releases the lock."""
        self._lock.release()

"""Going on with a run: its own options, its ledger, and what may be given anew."""

import dataclasses
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from models.dataset import Dataset
from models.design import Design, from_dict
from search import budget as budgets
from search import run_folder
from search.copier import fetch
from search.options import RunOptions, SearchOptions, TranscriptOptions
from search.price import bill_of
from search.state import SearchState, load
from search.store import below, open_store

ANEW = {"budget", "trials", "resume", "extend", "out", "address", "parallel", "price"}
ANEW |= {
    "data_dir",  # of the same images
    "workers_per_trial",
    "gpus_per_worker",
    "cpus_per_worker",
    "cluster_down",
    "stop_when_gain_below",
}
"""Options that a resume may give anew; the others are the run's own."""


@dataclasses.dataclass(frozen=True)
class Earlier:
    """A run that goes on."""

    folder: Path
    options: RunOptions
    known: SearchState
    fingerprint: str
    warm: tuple[tuple[str, Design], ...] = ()
    """The designs of an earlier run that it began with."""
    pixels: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Means and deviations of the channels that it began with."""

    def normalised(self, dataset: Dataset) -> Dataset:
        """`dataset` as the run's networks have seen it since its beginning."""
        if self.pixels is None:
            return dataset
        return replace(dataset, mean=self.pixels[0], deviation=self.pixels[1])


def find(given: SearchOptions, named: Collection[str] | None = None) -> Earlier:
    """The run that `given` names, with the options with which it goes on; ValueError where it
    cannot. `named` are the options that were given, by field; without it those that differ from
    their defaults."""
    assert given.resume is not None
    if given.storage is not None:
        _fetch(given.storage, given.out, given.resume)
    folder = run_folder.find(given.out, given.resume)
    info = run_folder.read_info(folder)
    known = load(folder)
    options = _options(given, info, _named(given) if named is None else named)
    # One that was cut after its last trial, or failed then, has its winner still to be written.
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
    return Earlier(folder, options, known, fingerprint, warm, pixels)


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


def _fetch(storage: str, out: Path, name: str) -> None:
    """A run that is not here, from its storage; a run that is here is newer than its copy."""
    if not (out / name).exists() and run_folder.NAME.fullmatch(name):
        try:
            fetch(below(open_store(storage), name), out / name)
        except OSError as error:
            raise ValueError(f"--storage {storage} cannot be read: {error}") from error


def _options(given: SearchOptions, info: dict[str, Any], named: Collection[str]) -> RunOptions:
    kind = TranscriptOptions if info.get("command") == "transcript" else SearchOptions
    stored = info.get("settings")
    if not isinstance(stored, dict):
        raise ValueError("run.json has no settings to go on with")
    names = {field.name for field in fields(kind)}
    options = kind(**{name: _restored(stored[name]) for name in stored if name in names})
    options = replace(
        options,
        out=given.out,
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
    """As it was before JSON, which knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def _extended(options: RunOptions, given: SearchOptions, known: SearchState) -> RunOptions:
    """The budget of `given`, on top of what was used."""
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


class Alone:
    """Held by the one process that trains a run."""

    def __init__(self, run: Path) -> None:
        self._lock = FileLock(str(run / "run.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(f"run {run} is being trained by another process") from None

    def release(self) -> None:
        """Lets others have it."""
        self._lock.release()

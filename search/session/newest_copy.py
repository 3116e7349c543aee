"""Which of a run's two copies goes on: the folder here, or the one in its storage."""

import fnmatch
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from search.record import ledger
from search.record.ledger import Line
from search.storage.copier import LEDGER, SEGMENTS, fetched, files
from search.storage.store import Store


@dataclass(frozen=True)
class Comparison:
    """How the ledgers of two copies of a run stand to each other."""

    shared: int
    """Lines that both begin with."""
    here: int
    """Further lines that only the folder here has."""
    there: int
    """And those that only the storage has."""
    is_newer_there: bool
    """Whether the storage goes on. Of a ledger and its beginning that is the longer; where each has
    lines that the other lacks, the one with the newer generation, then the longer."""

    @property
    def forked(self) -> bool:
        """Whether each has lines that the other lacks."""
        return bool(self.here and self.there)


def compare(here: Sequence[Line], there: Sequence[Line]) -> Comparison:
    """The ledger here with the one in the storage."""
    pairs = zip(here, there, strict=False)
    shortest = min(len(here), len(there))
    shared = next((n for n, (own, other) in enumerate(pairs) if _differ(own, other)), shortest)
    newer = _rank(there) > _rank(here) if shared < shortest else len(there) > len(here)
    return Comparison(shared, len(here) - shared, len(there) - shared, newer)


def _differ(own: Line, other: Line) -> bool:
    # What is not a number is not equal to itself, but written alike.
    return own != other and json.dumps(own) != json.dumps(other)


def _rank(lines: Sequence[Line]) -> tuple[int, int]:
    return ledger.generation(lines), len(lines)


def lines_in(store: Store) -> list[Line]:
    """The ledger in a run's storage, without a torn line; empty where there is none. OSError where
    it cannot be read, LedgerError where it is damaged."""
    names = sorted(fnmatch.filter(store.names(LEDGER), SEGMENTS))
    return list(ledger.parse((f"{store}/{name}", store.read(name)) for name in names))


def compare_copies(run: Path, store: Store) -> Comparison:
    """The folder `run` with its storage; ValueError where these are two runs."""
    found = compare(list(ledger.read(run / LEDGER)), lines_in(store))
    if found.forked and not found.shared:
        raise ValueError(
            f"{store} holds another run than {run}: rename one of them to go on with the other"
        )
    return found


def bring_up_to_date(run: Path, store: Store, say: Callable[[str], None]) -> None:
    """Sees to it that the folder `run` is the newest copy of the run: takes over the storage's
    where that is newer, whole or not at all. Where each has what the other lacks, the one that
    does not go on is kept beside.

    OSError where the storage or the folder cannot be read or written.
    """
    found = compare_copies(run, store)
    if not (found.forked or found.is_newer_there):
        return
    kept = _free_name(run)
    with fetched(store, run) as part:
        if part is None:  # its first copy is not complete
            return
        if not found.is_newer_there:
            part.rename(kept)
            say(_forked("this folder", found.here, f"the copy in {store}", found.there, kept))
            return
        if not found.forked:
            _carry_over(run, part)
        _exchange(run, part, kept)
    if found.forked:
        say(_forked(f"the copy in {store}", found.there, "this folder", found.here, kept))
        return
    shutil.rmtree(kept, ignore_errors=True)
    say(f"Notice: {run} is brought up to date from {store}: {found.there} lines of its ledger")


def _exchange(run: Path, newer: Path, kept: Path) -> None:
    was_in = Path.cwd().is_relative_to(run)
    run.rename(kept)
    try:
        newer.rename(run)
    except OSError:
        kept.rename(run)
        raise
    if was_in:  # or this process would stay in the older folder
        os.chdir(run)


def _forked(winner: str, won: int, loser: str, lost: int, kept: Path) -> str:
    return (
        f"Notice: the run went on in two places. What counts is {winner}, with {won} further lines "
        f"of its ledger; {loser}, with {lost} other lines, is kept as {kept}"
    )


def _free_name(run: Path) -> Path:
    """Beside the run, for a copy that does not go on."""
    number = 1
    while (free := run.with_name(f"{run.name}.superseded-{number}")).exists():
        number += 1
    return free


def _carry_over(run: Path, part: Path) -> None:
    """What only the older copy has, such as a report or notes, stays with the run."""
    for name in files(run):
        if not name.startswith(f"{LEDGER}/") and not (part / name).exists():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(run / name, part / name)

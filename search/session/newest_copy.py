"""Reconciles a run's folder with its copy in the storage at a resume: compares their ledgers, and
brings the folder up to the newer one."""

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
    """How the ledgers of two copies of a run differ, in numbers of lines."""

    shared: int
    """The length of their common prefix."""
    here: int
    """Further lines that only the folder here has."""
    there: int
    """Further lines that only the storage has."""
    is_newer_there: bool
    """Whether the storage's copy is the newer one: the longer of a ledger and its prefix; of forked
    ones that with the newer generation, then the longer."""

    @property
    def forked(self) -> bool:
        """Whether each has lines that the other lacks."""
        return bool(self.here and self.there)


def compare(here: Sequence[Line], there: Sequence[Line]) -> Comparison:
    """Compares the ledger here with the one in the storage."""
    pairs = zip(here, there, strict=False)
    shortest = min(len(here), len(there))
    shared = next((n for n, (own, other) in enumerate(pairs) if _differ(own, other)), shortest)
    newer = _rank(there) > _rank(here) if shared < shortest else len(there) > len(here)
    return Comparison(shared, len(here) - shared, len(there) - shared, newer)


def _differ(own: Line, other: Line) -> bool:
    # NaN is not equal to itself, but has the same JSON text.
    return own != other and json.dumps(own) != json.dumps(other)


def _rank(lines: Sequence[Line]) -> tuple[int, int]:
    return ledger.generation(lines), len(lines)


def lines_in(store: Store) -> list[Line]:
    """The ledger lines in a run's storage, without a torn one; empty where there is none. OSError
    where they cannot be read, LedgerError where they are damaged."""
    names = sorted(fnmatch.filter(store.names(LEDGER), SEGMENTS))
    return list(ledger.parse((f"{store}/{name}", store.read(name)) for name in names))


def compare_copies(run: Path, store: Store) -> Comparison:
    """Compares the folder `run` with its storage; ValueError where these are different runs."""
    found = compare(list(ledger.read(run / LEDGER)), lines_in(store))
    if found.forked and not found.shared:
        raise ValueError(
            f"{store} holds another run than {run}: rename one of them to go on with the other"
        )
    return found


def bring_up_to_date(run: Path, store: Store, say: Callable[[str], None]) -> None:
    """Makes the folder `run` the newest copy of the run: replaces it atomically by the storage's
    copy where that is newer. Of forked copies the older one is kept in a folder beside it.

    Raises OSError where the storage or the folder cannot be read or written.
    """
    found = compare_copies(run, store)
    if not (found.forked or found.is_newer_there):
        return
    kept = _free_name(run)
    with fetched(store, run) as part:
        if part is None:  # the first copy to the storage never completed
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
    if was_in:  # else this process would stay in the renamed older folder
        os.chdir(run)


def _forked(winner: str, won: int, loser: str, lost: int, kept: Path) -> str:
    return (
        f"Notice: the run went on in two places. What counts is {winner}, with {won} further lines "
        f"of its ledger; {loser}, with {lost} other lines, is kept as {kept}"
    )


def _free_name(run: Path) -> Path:
    """An unused name beside the run's folder, for the older copy."""
    number = 1
    while (free := run.with_name(f"{run.name}.superseded-{number}")).exists():
        number += 1
    return free


def _carry_over(run: Path, part: Path) -> None:
    """Copies what only the older copy has, such as a report or notes, into the newer one."""
    for name in files(run):
        if not name.startswith(f"{LEDGER}/") and not (part / name).exists():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(run / name, part / name)

"""The ledger: the append-only log of a run, JSON lines in segment files, fsynced as written.

All other state of a run is derived from it. Each line has `seq` (from 0, without gaps), `time`
(seconds since 1970) and `kind`:

- run: `event` start (with the resources of this session's workers, and its `generation`, one more
  than those before), end or interrupted
- decision: `action` start, resume, restart or refuse, and why
- trial: a trial's new `state`; the first such line has its design and seed, and each with which a
  session begins to train it the resources of its workers. A running trial is in a lane from this
  line on, or with `in_lane` false waits for one
- epoch: the result of one epoch
- cost: worker-seconds of one trial for one item, and the resources that the workers held
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from models.durable import sync_folder

Kind = Literal["run", "decision", "trial", "epoch", "cost"]
Fields = dict[str, Any]
Line = dict[str, Any]

SEGMENT_LINES = 10_000


class LedgerError(ValueError):
    """A line of a ledger is damaged or missing; the message names it."""


class Ledger:
    """The only writer of a run's ledger. Lines are fsynced when `append` returns, or for several
    calls within `together`, at its end."""

    def __init__(
        self,
        folder: Path,
        segment_lines: int = SEGMENT_LINES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens the ledger in `folder`, creating it if need be, to append after its last complete
        line."""
        self.folder, self._clock = folder, clock
        self._segment_lines = segment_lines
        self.waiting = False
        """Whether lines may not be fsynced yet (within `together`)."""
        self._failed: OSError | None = None
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
        self.next_seq = sum(1 for _ in read(folder))
        # A torn last line stays, and every reader drops it: what follows goes to a new segment.
        self._segment = self._open_segment(len(_segments(folder)))

    def append(self, *entries: tuple[Kind, Fields]) -> list[Line]:
        """Writes a line for each entry, with one fsync for all, and returns the lines."""
        with self._once():
            lines = [self._write(kind, fields) for kind, fields in entries]
            self._segment.flush()
            if not self.waiting:
                self._wait_for_disk()
        return lines

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Makes the first OSError permanent: lines after one that may be missing or torn would not
        be a valid ledger."""
        if self._failed:
            raise self._failed
        try:
            yield
        except OSError as error:
            self._failed = error
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """Groups commits: lines written within it are visible at once, but durable only at its end,
        with one fsync for all."""
        self.waiting = True
        try:
            yield
        finally:
            self.waiting = False
            with self._once():
                self._wait_for_disk()

    def _wait_for_disk(self) -> None:
        os.fsync(self._segment.fileno())

    def _write(self, kind: Kind, fields: Fields) -> Line:
        line: Line = {"seq": self.next_seq, "time": round(self._clock(), 3), "kind": kind, **fields}
        if self.next_seq % self._segment_lines == 0 and self._segment.tell():
            self._segment.flush()
            self._wait_for_disk()
            self._segment.close()
            self._segment = self._open_segment(len(_segments(self.folder)))
        self._segment.write(json.dumps(line).encode() + b"\n")
        self.next_seq += 1
        return line

    def close(self) -> None:
        """Closes the segment; raises no further OSError after a write has failed."""
        with contextlib.suppress(*[OSError] * bool(self._failed)):
            self._segment.close()

    def _open_segment(self, number: int) -> Any:
        segment = (self.folder / f"{number:06d}.jsonl").open("ab")
        sync_folder(self.folder)  # else a machine crash may lose the file with its lines
        return segment


def read(folder: Path) -> Iterator[Line]:
    """The lines of the ledger in `folder`, in order; a torn last line of a segment is dropped.

    Raises LedgerError where any other line is damaged or missing.
    """
    return parse((str(segment), segment.read_bytes()) for segment in _segments(folder))


def parse(segments: Iterable[tuple[str, bytes]]) -> Iterator[Line]:
    """The lines of a ledger given as (name, content) of its segments; as `read` for the rest."""
    expected = 0
    for segment, content in segments:
        whole, _, _torn = content.rpartition(b"\n")
        for number, text in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                line = json.loads(text)
            except ValueError as error:
                raise LedgerError(f"{segment}, line {number}: not JSON") from error
            if line.get("seq") != expected:
                raise LedgerError(f"{segment}, line {number}: seq {expected} expected")
            expected += 1
            yield line


def generation(lines: Iterable[Line]) -> int:
    """The generation of the newest session in `lines`; 0 before the first. Sessions are counted
    where older lines do not state it."""
    newest = 0
    for line in lines:
        if line["kind"] == "run" and line["event"] == "start":
            newest = max(newest + 1, line.get("generation", 0))
    return newest


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.jsonl"))

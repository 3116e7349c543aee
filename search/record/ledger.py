"""The ledger: an append-only stream of JSON lines in segments, the truth about a run.

Each line has `seq` (from 0, without gaps), `time` (seconds since 1970) and `kind`:

- run: `event` start (with what this session's workers hold, and its `generation`, one more than
  those before), end or interrupted
- decision: `action` start, resume, restart or refuse, and why
- trial: a trial's new `state`; the first such line has its design and seed, and each with which a
  session begins to train it the share of the device. A running one is in a lane from this line on,
  or with `in_lane` false waits for one
- epoch: the result of one epoch
- cost: worker-seconds of one trial for one item, and the share with which they were held
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
    """A line of a ledger cannot be read; the message names it."""


class Ledger:
    """The one writer of a run's ledger. Lines are on disk when `append` returns, or where several
    calls are made `together`, at their end."""

    def __init__(
        self,
        folder: Path,
        segment_lines: int = SEGMENT_LINES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens the ledger in `folder`, made if need be; goes on after its last whole line."""
        self.folder, self._clock = folder, clock
        self._segment_lines = segment_lines
        self.waiting = False
        """Whether lines may not be on disk yet."""
        self._failed: OSError | None = None
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
        self.next_seq = sum(1 for _ in read(folder))
        # A torn line stays where it is, dropped by every reader: what follows has a new segment.
        self._segment = self._open_segment(len(_segments(folder)))

    def append(self, *entries: tuple[Kind, Fields]) -> list[Line]:
        """Writes a line for each entry, all with one wait for the disk, and gives them back."""
        with self._once():
            lines = [self._write(kind, fields) for kind, fields in entries]
            self._segment.flush()
            if not self.waiting:
                self._wait_for_disk()
        return lines

    @contextmanager
    def _once(self) -> Iterator[None]:
        """What fails within it fails for good: what follows a line that may be missing, or half
        there, would be no ledger."""
        if self._failed:
            raise self._failed
        try:
            yield
        except OSError as error:
            self._failed = error
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within it a line may be read at once, but outlives a machine that goes down only when all
        are written: one wait for the disk for them all."""
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
        """Closes the segment; nothing is pending, unless it could not be written."""
        with contextlib.suppress(*[OSError] * bool(self._failed)):
            self._segment.close()

    def _open_segment(self, number: int) -> Any:
        segment = (self.folder / f"{number:06d}.jsonl").open("ab")
        sync_folder(self.folder)  # else a machine that goes down may lose the file with its lines
        return segment


def read(folder: Path) -> Iterator[Line]:
    """The lines of the ledger in `folder`, in order; a torn last line of a segment is dropped.

    LedgerError where a line in between is damaged or missing.
    """
    return parse((str(segment), segment.read_bytes()) for segment in _segments(folder))


def parse(segments: Iterable[tuple[str, bytes]]) -> Iterator[Line]:
    """The same of segments by name with their content, wherever they lie."""
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
    """Of the newest session that `lines` tell of; 0 before the first. Where they do not say it,
    sessions are counted."""
    newest = 0
    for line in lines:
        if line["kind"] == "run" and line["event"] == "start":
            newest = max(newest + 1, line.get("generation", 0))
    return newest


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.jsonl"))

"""A run's lease: one process at a time trains a run and writes its storage, and all others see it.

lease.json lies beside the run's other files in its storage. Its owner writes it anew every ten
seconds; without that it is free after 45 s, or at once where its process is known to be gone. Who
takes a run over writes the next generation, and the owner before sees that and stops.

An object store has no "write it if nobody has": of two who take a run over within the same second
both may hold it until the next look, ten seconds at most, and then one of them stops.
"""

import contextlib
import datetime
import json
import os
import platform
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from search.storage.background import Repeated
from search.storage.store import Store

FILE = "lease.json"
BEAT_SECONDS = 10.0
"""How often its owner says that it is there."""
SECONDS = 45.0
"""After so long without a word the lease is free."""

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 15.0
"""Who is taken over looks within that time, and so has written its last file."""


class TakenOver(Exception):
    """Another process trains the run now: no more may be written to its storage."""


@dataclass(frozen=True)
class Holder:
    """Who trains a run, as lease.json has it."""

    owner: str
    """A random name."""
    generation: int
    host: str
    machine: str
    """Tells machines, and their restarts, apart."""
    pid: int
    since: float
    beat: float
    released: bool = False

    def holds(self) -> bool:
        """Whether it is at work, as far as can be known from here."""
        return not (self.released or time.time() - self.beat > SECONDS or self._is_gone())

    def _is_gone(self) -> bool:
        return self.machine == _machine() and not _runs(self.pid, self.beat)

    def __str__(self) -> str:
        since = datetime.datetime.fromtimestamp(self.since, datetime.UTC)
        ago = max(time.time() - self.beat, 0.0)
        return (
            f"{self.host} (process {self.pid}) since {since:%Y-%m-%d %H:%M:%S} UTC, last heard of "
            f"{ago:.0f} s ago"
        )


def read(store: Store) -> Holder | None:
    """Who has, or had, the lease of the run in `store`; OSError where that cannot be read."""
    try:
        content: dict[str, Any] = json.loads(store.read(FILE))
        return Holder(**content)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return None  # not one of ours


def check_free(store: Store, run: str) -> None:
    """ValueError, with what to do, where another process trains the run in `store`."""
    holder = read(store)
    if holder is not None and holder.holds():
        raise ValueError(
            f"run {run} is being trained by {holder}: wait until that has ended (it counts as gone "
            f"after {SECONDS:.0f} s without a word), or take the run over with --take-over, which "
            "ends it there"
        )


def await_free(store: Store, run: str, say: Callable[[str], None]) -> None:
    """Returns when the run in `store` is free: at once, or when the one who had it is not heard of
    any more, as after its machine was lost. ValueError as soon as it is known to be at work."""
    holder = read(store)
    if holder is None or not holder.holds():
        return
    if holder.machine == _machine():  # where that can be seen
        check_free(store, run)
    seconds = max(holder.beat + SECONDS - time.time(), 0.0)
    say(f"Run {run} was being trained by {holder}: waiting {seconds:.0f} s for its word")
    while holder.holds():
        time.sleep(LOOK_SECONDS)
        found = read(store)
        if found is None or (found.owner, found.beat) != (holder.owner, holder.beat):
            check_free(store, run)
            return


class Lease:
    """Held while it is entered, by this process; `lost` says when another has it."""

    def __init__(
        self,
        store: Store,
        run: str,
        known: int,
        say: Callable[[str], None],
        *,
        take_over: bool = False,
        every: float = BEAT_SECONDS,
    ) -> None:
        """Takes the lease of the run in `store`, whose newest generation is `known` from its
        ledger; ValueError where another holds it, unless it is to be taken over."""
        if not take_over:
            await_free(store, run, say)
        before = read(store)
        now = time.time()
        self._store, self._run, self._say = store, run, say
        self._own = Holder(
            owner=secrets.token_hex(8),
            generation=max(known, before.generation if before else 0) + 1,
            host=platform.node(),
            machine=_machine(),
            pid=os.getpid(),
            since=now,
            beat=now,
        )
        self.lost = ""
        """Who has it now; empty while it is held."""
        self._telling = threading.Lock()
        self._write()
        if before is not None and before.holds():
            say(f"Taking run {run} over from {before}: it has {SETTLE_SECONDS:.0f} s to stop")
        try:
            self._settle(SETTLE_SECONDS if before is not None and before.holds() else 0.0)
        except TakenOver as error:
            raise ValueError(f"run {run} is being trained by {error}") from None
        self._beats = Repeated(self._beat, every, say, f"the lease of run {run} cannot be renewed")

    def _settle(self, seconds: float) -> None:
        """Gives the one before time to look. It may have been about to say that it is there: its
        word, written after this one's, must not stay."""
        deadline = time.monotonic() + seconds
        self.check()
        while time.monotonic() < deadline:
            time.sleep(seconds / 20)
            self.check()
            self._write()

    @property
    def generation(self) -> int:
        """Of this session."""
        return self._own.generation

    def __enter__(self) -> "Lease":
        self._beats.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._beats.stop()
        self.release()

    def release(self) -> None:
        """Lets others have it."""
        self._own = replace(self._own, released=True)
        self._beats.once()

    def check(self) -> None:
        """TakenOver, told once, where another has the lease; OSError where that cannot be read."""
        if self.lost:
            raise TakenOver(self.lost)
        found = read(self._store)
        if found is None and not self._store.names("ledger"):
            # Not mounted any more: what is written there now would be in its place, not in it.
            raise OSError(f"run {self._run} is not there any more: look whether it is mounted")
        if found is None or found.owner == self._own.owner:
            return
        # Of two who took it at the same time one has it: which, both can tell.
        if (found.generation, found.owner) < (self._own.generation, self._own.owner):
            return
        with self._telling:
            if not self.lost:
                self.lost = str(found)
                self._tell(found)
        raise TakenOver(self.lost)

    def _tell(self, holder: Holder) -> None:
        with contextlib.suppress(Exception):  # nobody reads it any more
            self._say(
                f"Stopping: run {self._run} was taken over by {holder}; nothing more is written to "
                f"{self._store} from here"
            )

    def _beat(self) -> None:
        try:
            self.check()
        except TakenOver:
            return
        self._write()

    def _write(self) -> None:
        self._own = replace(self._own, beat=time.time())
        self._store.write(FILE, json.dumps(asdict(self._own)).encode())


def _machine() -> str:
    """Processes have the same numbers in two containers of a machine, and after a restart."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{platform.node()} {uuid.getnode():x}"


def _runs(pid: int, since: float) -> bool:
    """Whether a process of this machine lives that did so at a time; numbers are used again."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= since + 1
    except psutil.NoSuchProcess:
        return False

"""A run's lease: mutual exclusion between processes that would train one run and write its storage.

lease.json lies beside the run's other files in its storage. Its owner renews it every ten seconds
(heartbeat); it expires after 45 s, or at once where its process is known to have ended. A process
that takes a run over writes the next generation, which the previous owner sees, and stops.

Object stores are used without conditional writes: of two processes that take a run over within the
same second both may hold it until the next heartbeat, ten seconds at most; then one of them stops.
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
"""The interval of the owner's heartbeats."""
SECONDS = 45.0
"""The lease expires so long after its last heartbeat."""

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 15.0
"""How long a takeover waits: the previous owner checks the lease, and stops writing, within it."""


class TakenOver(Exception):
    """Another process trains the run now: no more may be written to its storage."""


@dataclass(frozen=True)
class Holder:
    """The owner of a lease: the content of lease.json; times are seconds since 1970."""

    owner: str
    """A random token."""
    generation: int
    host: str
    machine: str
    """Identifies the machine, its boot, and the process namespace."""
    pid: int
    since: float
    beat: float
    released: bool = False

    def holds(self) -> bool:
        """Whether the lease is in force: neither released nor expired, its process not known to
        have ended."""
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
    """The current or last owner of the lease in `store`, None without one; OSError where it cannot
    be read."""
    try:
        content: dict[str, Any] = json.loads(store.read(FILE))
        return Holder(**content)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return None  # not a lease file of this program


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
    """Blocks until the lease of the run in `store` is free: at once, or when it has expired, as
    after its machine was lost. ValueError as soon as its owner is known to be alive."""
    holder = read(store)
    if holder is None or not holder.holds():
        return
    if holder.machine == _machine():  # its process can be looked up: no need to wait
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
    """The lease as this process holds it: taken when made, renewed while entered, released after.

    `lost` names the process that has taken it over.
    """

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
        """The new owner, in a line; empty while the lease is held."""
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
        """Gives the previous owner time to notice the takeover. It may overwrite this lease with a
        heartbeat that was under way, so the lease is written again meanwhile."""
        deadline = time.monotonic() + seconds
        self.check()
        while time.monotonic() < deadline:
            time.sleep(seconds / 20)
            self.check()
            self._write()

    @property
    def generation(self) -> int:
        """The number of this session, one more than those of all sessions before."""
        return self._own.generation

    def __enter__(self) -> "Lease":
        self._beats.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._beats.stop()
        self.release()

    def release(self) -> None:
        """Marks the lease as released, so that another process may take it at once."""
        self._own = replace(self._own, released=True)
        self._beats.once()

    def check(self) -> None:
        """Raises TakenOver, reported once, where another process has the lease, or OSError where it
        cannot be read."""
        if self.lost:
            raise TakenOver(self.lost)
        found = read(self._store)
        if found is None and not self._store.names("ledger"):
            # No longer mounted: what is written now would land below the empty mount point.
            raise OSError(f"run {self._run} is not there any more: look whether it is mounted")
        if found is None or found.owner == self._own.owner:
            return
        # Of two processes that took it at the same time both can tell which one keeps it.
        if (found.generation, found.owner) < (self._own.generation, self._own.owner):
            return
        with self._telling:
            if not self.lost:
                self.lost = str(found)
                self._tell(found)
        raise TakenOver(self.lost)

    def _tell(self, holder: Holder) -> None:
        with contextlib.suppress(Exception):  # the output may be closed
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
    """An id of this boot of the machine and of the process namespace: process ids are only unique
    within both."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{platform.node()} {uuid.getnode():x}"


def _runs(pid: int, since: float) -> bool:
    """Whether process `pid` lives and was started before the time `since`: ids are reused."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= since + 1
    except psutil.NoSuchProcess:
        return False

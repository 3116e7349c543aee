"""How long each node of the cluster was there, and how long it did nothing: costs.jsonl."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.error_text import first_line
from search.storage.background import Repeated

FILE = "costs.jsonl"
EVERY_SECONDS = 5.0
"""How often the cluster is asked."""
HEARTBEAT_SECONDS = 300.0
"""A killed run knows its nodes' times to within so much."""


@dataclass(frozen=True)
class Node:
    """A live node of the cluster."""

    id: str
    address: str
    kind: str
    """Its type in the cluster's file, where it has one."""
    cpus: float
    gpus: float
    busy: bool
    """Whether any of its cores or GPUs is given to a lane."""


@dataclass
class _Times:
    node: Node
    since: float
    seconds: float = 0.0
    idle_seconds: float = 0.0
    written: float = 0.0


class NodeTimes:
    """Adds up the times of nodes, and writes a line of JSON whenever something changes.

    A line has the totals since `since`, when the node was first seen by this session; the last line
    of a (node, since) counts. A node without cores and GPUs for lanes is never idle.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._nodes: dict[str, _Times] = {}
        self._seen = clock()

    def look(self, nodes: Sequence[Node]) -> None:
        """The cluster as it is now; the time since the last look is booked as it was then."""
        now = self._clock()
        self._book(now)
        present = {node.id: node for node in nodes}
        for gone in [id for id in self._nodes if id not in present]:
            self._write(self._nodes[gone], now, "gone")
            del self._nodes[gone]
        for id, node in present.items():
            times = self._nodes.get(id)
            if times is None:
                self._nodes[id] = times = _Times(node, since=now)
                self._write(times, now, "joined")
            elif times.node.busy != node.busy or now - times.written >= HEARTBEAT_SECONDS:
                times.node = node
                self._write(times, now, "busy" if node.busy else "idle")

    def end(self) -> None:
        """The run has ended; nodes may stay on, which is not its business any more."""
        now = self._clock()
        self._book(now)
        for times in self._nodes.values():
            self._write(times, now, "run ended")
        self._nodes.clear()

    def _book(self, now: float) -> None:
        passed, self._seen = max(now - self._seen, 0.0), now
        for times in self._nodes.values():
            times.seconds += passed
            if not times.node.busy and (times.node.cpus or times.node.gpus):
                times.idle_seconds += passed

    def _write(self, times: _Times, now: float, event: str) -> None:
        node = times.node
        line: dict[str, Any] = {
            "time": round(now, 3),
            "event": event,
            "node": node.id,
            "address": node.address,
            "kind": node.kind,
            "cpus": node.cpus,
            "gpus": node.gpus,
            "since": round(times.since, 3),
            "seconds": round(times.seconds, 3),
            "idle_seconds": round(times.idle_seconds, 3),
        }
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        times.written = now


class Watch:
    """While entered, looks at the cluster every few seconds in a thread of its own."""

    def __init__(
        self,
        times: NodeTimes,
        nodes: Callable[[], Sequence[Node]],
        say: Callable[[str], None],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._times, self._nodes, self._say = times, nodes, say
        trouble = "the times of the cluster's nodes cannot be written down"
        self._looks = Repeated(self._look, every, say, trouble)

    def __enter__(self) -> "Watch":
        self._looks.once()
        self._looks.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._looks.stop()
        try:
            self._times.end()
        except OSError as error:
            self._say(f"Notice: {FILE} lacks the end of the nodes' times ({first_line(error)})")

    def _look(self) -> None:
        self._times.look(self._nodes())


def read(path: Path) -> list[dict[str, Any]]:
    """The totals of each node, a dict a (node, since), in the order in which they came; a torn last
    line is dropped."""
    last: dict[tuple[str, float], dict[str, Any]] = {}
    if path.exists():
        for text in path.read_text().splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            last[line["node"], line["since"]] = line
    return list(last.values())

"""Accounts each node's time in the cluster, total and idle, in costs.jsonl."""

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
"""The interval between queries of the cluster."""
HEARTBEAT_SECONDS = 300.0
"""The longest interval between lines of a node: what a killed run can lack of its nodes' times."""


@dataclass(frozen=True)
class Node:
    """A live node of the cluster."""

    id: str
    address: str
    kind: str
    """Its node type in the autoscaler's configuration; empty where it has none."""
    cpus: float
    gpus: float
    busy: bool
    """Whether any of its cores or GPUs is allocated."""


@dataclass
class _Times:
    node: Node
    since: float
    seconds: float = 0.0
    idle_seconds: float = 0.0
    written: float = 0.0


class NodeTimes:
    """Sums up the times of nodes, and appends a JSON line to costs.jsonl at each change.

    A line has the totals since `since`, when this session first saw the node; the last line of a
    (node, since) counts. Times are in seconds. A node without cores and GPUs is never idle.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._nodes: dict[str, _Times] = {}
        self._seen = clock()

    def look(self, nodes: Sequence[Node]) -> None:
        """Takes the cluster's live nodes as they are now; the time since the last call counts with
        the state at that call."""
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
        """Writes the final totals of all nodes, at the end of the run."""
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
    """While entered, feeds `nodes()` to a NodeTimes every few seconds, in a background thread."""

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
    """The last line of each (node, since) in costs.jsonl, in the order of their first lines; a torn
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

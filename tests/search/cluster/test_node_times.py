"""How long nodes were there and idle: sums that a hand-made cluster gives."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from search.cluster.node_times import Node, NodeTimes, read


def node(name: str, busy: bool = False, cpus: float = 4.0) -> Node:
    return Node(name, f"10.0.0.{name}", "worker", cpus, 0.0, busy)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def totals(path: Path) -> dict[str, tuple[float, float]]:
    return {line["node"]: (line["seconds"], line["idle_seconds"]) for line in read(path)}


def test_times_add_up(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "costs.jsonl"
    times = NodeTimes(path, clock)
    head = node("1", cpus=0.0)
    for now, nodes in (
        (100, [head]),
        (110, [head, node("2")]),  # joins, idle
        (130, [head, node("2", busy=True)]),
        (190, [head, node("2", busy=True), node("3", busy=True)]),
        (200, [head, node("2")]),  # 3 is gone
    ):
        clock.now = float(now)
        times.look(nodes)
    clock.now = 260.0
    times.end()
    assert totals(path) == {"1": (160.0, 0.0), "2": (150.0, 80.0), "3": (10.0, 0.0)}
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert events.count("gone") == 1 and events.count("run ended") == 2


def test_a_killed_run_knows_what_it_had_written(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "costs.jsonl"
    times = NodeTimes(path, clock)
    for _ in range(200):
        clock.now += 5
        times.look([node("1")])
    with path.open("a") as file:
        file.write('{"node": "1", "sin')
    seconds, idle = totals(path)["1"]
    assert 995 - 300 <= seconds <= 995 and idle == seconds


@given(st.lists(st.tuples(st.floats(0.1, 50), st.sets(st.integers(0, 3)), st.booleans())))
def test_no_second_is_lost_or_counted_twice(tmp_path_factory, steps) -> None:
    clock, path = Clock(), tmp_path_factory.mktemp("times") / "costs.jsonl"
    times, expected = NodeTimes(path, clock), 0.0
    there: set[int] = set()
    for passed, present, busy in steps:
        expected += passed * len(there)
        clock.now += passed
        times.look([node(str(number), busy) for number in present])
        there = present
    times.end()
    lines = read(path)
    assert abs(sum(line["seconds"] for line in lines) - expected) < 0.01 * (len(lines) + 1)
    assert all(line["idle_seconds"] <= line["seconds"] for line in lines)

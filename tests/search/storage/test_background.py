"""A thread that repeats something: it goes on after any error, says so once, and says its end."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from search.cluster.node_times import Node, NodeTimes, Watch
from search.storage.background import Repeated
from tests.search.processes import wait_for


@pytest.mark.parametrize("error", [OSError("full"), pa.ArrowInvalid("full"), KeyError("full")])
def test_it_goes_on_after_any_error_and_says_so_once_a_time(error: Exception) -> None:
    said: list[str] = []
    done: list[bool] = []
    broken = [True]

    def do() -> None:
        done.append(broken[0])
        if broken[0]:
            raise error

    repeated = Repeated(do, 0.01, said.append, "it cannot be done")
    repeated.start()
    for number, state in enumerate((True, False, True, False)):
        broken[0] = state
        before = len(done)
        wait_for(lambda before=before: len(done) > before + 3, 5)
        assert len(said) == number // 2 + 1
    repeated.stop()
    assert all(line.startswith("Notice: it cannot be done, trying again (") for line in said)
    assert all("full" in line for line in said)


def test_it_says_when_it_ends() -> None:
    said: list[str] = []

    def do() -> None:
        raise SystemExit("told to")

    repeated = Repeated(do, 0.01, said.append, "it cannot be done")
    repeated.start()
    wait_for(lambda: bool(said), 5)
    repeated.stop()
    assert said == ["Notice: it cannot be done, and is not tried any more (told to)"]


def test_it_goes_on_where_nobody_listens_any_more() -> None:
    done: list[int] = []

    def do() -> None:
        done.append(1)
        raise OSError("full")

    def say(line: str) -> None:
        raise BrokenPipeError

    repeated = Repeated(do, 0.01, say, "it cannot be done")
    repeated.start()
    wait_for(lambda: len(done) > 3, 5)
    repeated.stop()


def test_a_cluster_that_does_not_answer_once_is_watched_on(tmp_path: Path) -> None:
    """No OSError: what Ray raises."""
    said: list[str] = []
    asked: list[int] = []

    def nodes() -> list[Node]:
        asked.append(1)
        if len(asked) == 3:
            raise RuntimeError("no answer from the head")
        busy = len(asked) > 5
        return [Node("1", "10.0.0.1", "", 4.0, 0.0, busy)]

    path = tmp_path / "costs.jsonl"
    with Watch(NodeTimes(path), nodes, said.append, every=0.01):
        wait_for(lambda: len(asked) > 8, 5)
    assert len(said) == 1 and "no answer from the head" in said[0]
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert events == ["joined", "busy", "run ended"]


def test_times_that_cannot_be_written_at_the_end_end_no_run(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "costs.jsonl"
    with Watch(NodeTimes(path), lambda: [Node("1", "", "", 1, 0, True)], said.append, every=60):
        path.unlink()
        path.mkdir()
    assert len(said) == 1 and "costs.jsonl" in said[0]

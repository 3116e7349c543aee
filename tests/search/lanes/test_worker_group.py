"""A lane's talk with its workers over real connections; threads play Ray Train's part."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection
from pathlib import Path
from types import SimpleNamespace

import pytest

from search.lanes import worker_group
from search.lanes.leg import Leg, from_config
from search.lanes.worker_group import GroupLost, GroupNotStarted, WorkerGroup
from search.terms.plan import Plan

LEG = Leg(trial=3, design={"kernels": [[4]]}, seed=1, from_epoch=2)
Worker = Callable[[Connection], None]


class Play:
    """In TorchTrainer's place: `fit` lasts until all workers have left, or until `end`."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers, self._over = workers, threading.Event()

    def make(self, config: dict, plan: Plan, folder: Path) -> SimpleNamespace:
        self._config = config
        return SimpleNamespace(fit=self._fit)

    def _fit(self) -> None:
        for rank in reversed(range(len(self._workers))):  # they arrive in any order
            threading.Thread(target=self._work, args=(rank,), daemon=True).start()
        self._over.wait()
        raise RuntimeError("Traceback\n  a worker died: signal 9")

    def _work(self, rank: int) -> None:
        if self._workers[rank] is late:
            time.sleep(1)
        with Client(self._config["address"], authkey=self._config["key"]) as connection:
            connection.send(rank)
            self._workers[rank](connection)

    def end(self) -> None:
        self._over.set()


@pytest.fixture
def start(monkeypatch, tmp_path: Path) -> Iterator[Callable[..., tuple[WorkerGroup, Play]]]:
    monkeypatch.setattr(worker_group.ray.util, "get_node_ip_address", lambda: "127.0.0.1")
    groups: list[tuple[WorkerGroup, Play]] = []

    def begin(*workers: Worker) -> tuple[WorkerGroup, Play]:
        play = Play(list(workers))
        monkeypatch.setattr(worker_group, "_trainer", play.make)
        groups.append((WorkerGroup(b"", Plan(1, len(workers), 1, 0), tmp_path), play))
        return groups[-1]

    yield begin
    for group, play in groups:
        play.end()
        group.close()


def faithful(connection: Connection) -> None:
    """Answers with what it was sent, until the lane hangs up."""
    try:
        while True:
            leg = connection.recv()
            connection.send({"epoch": leg.from_epoch + 1 if leg else 9})
    except (EOFError, ConnectionError):
        pass


def late(connection: Connection) -> None:
    """Comes after the others."""
    faithful(connection)


def leaves(connection: Connection) -> None:
    connection.recv()


def fails(connection: Connection) -> None:
    connection.recv()
    connection.send({"failure": "out_of_memory", "kind": "design", "spoiling": True})
    connection.poll(30)


def waits(connection: Connection) -> None:
    connection.recv()
    connection.poll(30)


def test_legs_and_answers_travel(start) -> None:
    group, _ = start(faithful, faithful)
    assert group.train(LEG) == {"epoch": 3}
    assert group.train(None) == {"epoch": 9}


def test_a_leg_survives_tune_s_config() -> None:
    assert from_config(LEG.to_config()) == LEG


@pytest.mark.parametrize("workers", [(leaves,), (faithful, leaves), (leaves, waits)])
def test_a_worker_that_dies_is_noticed_at_once(start, workers) -> None:
    group, _ = start(*workers)
    started = time.monotonic()
    with pytest.raises(GroupLost, match="is gone"):
        group.train(LEG)
    assert time.monotonic() - started < 5


def test_one_worker_s_failure_does_not_wait_for_the_others(start, monkeypatch) -> None:
    monkeypatch.setattr(worker_group, "GRACE_SECONDS", 0.3)
    group, _ = start(waits, fails)
    assert group.train(LEG) == {"failure": "out_of_memory", "kind": "design", "spoiling": True}


def test_a_failure_that_comes_of_another_s_death_is_no_failure(start) -> None:
    def collateral(connection: Connection) -> None:
        connection.recv()
        connection.send({"failure": "closed by peer", "kind": "machine", "spoiling": True})
        connection.poll(30)

    def dies_a_little_later(connection: Connection) -> None:
        connection.recv()
        time.sleep(0.3)

    group, _ = start(collateral, dies_a_little_later)
    with pytest.raises(GroupLost, match="worker 1 is gone"):
        group.train(LEG)


def test_who_waits_hears_that_the_group_has_ended(start) -> None:
    group, play = start(waits)
    threading.Timer(0.5, play.end).start()
    with pytest.raises(GroupLost, match="a worker died: signal 9"):
        group.train(LEG)


def test_who_waits_hears_that_the_workers_never_came(start) -> None:
    group, play = start()
    group.workers = 1  # who never comes
    threading.Timer(0.5, play.end).start()
    with pytest.raises(GroupNotStarted, match="a worker died: signal 9"):
        group.train(LEG)


def test_workers_that_are_still_to_come_are_not_waited_for_for_long(start, monkeypatch) -> None:
    monkeypatch.setattr(worker_group, "PATIENCE_SECONDS", 0.1)
    group, _ = start(late)
    assert group.train(LEG) is None
    while (answer := group.train(LEG)) is None:
        pass
    assert answer == {"epoch": 3}


def test_a_stranger_is_not_let_in(start) -> None:
    group, _ = start(faithful)
    with pytest.raises((EOFError, OSError, ConnectionError, Exception)):
        Client(group.address, authkey=os.urandom(32))
    assert group.train(LEG) == {"epoch": 3}


def test_strangers_who_say_nothing_keep_no_worker_waiting(start) -> None:
    group, _ = start(late, late)
    strangers = [socket.create_connection(group.address) for _ in range(20)]
    started = time.monotonic()
    assert group.train(LEG) == {"epoch": 3}
    assert time.monotonic() - started < 4
    for stranger in strangers:
        stranger.close()

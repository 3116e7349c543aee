"""A lane's port: who has the key comes in at once, whatever strangers do there."""

import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection

import pytest

from search.lanes import lane_port
from search.lanes.lane_port import LanePort, connect

KEY = b"k" * 32
Arrivals = queue.Queue[Connection]


@pytest.fixture
def opened() -> Iterator[Callable[..., tuple[LanePort, Arrivals]]]:
    ports = []

    def begin(wanted: int) -> tuple[LanePort, Arrivals]:
        arrivals: Arrivals = queue.Queue()
        ports.append(LanePort("127.0.0.1", KEY, wanted, arrivals.put))
        return ports[-1], arrivals

    yield begin
    for port in ports:
        port.close()


def silent(address) -> socket.socket:
    return socket.create_connection(address)


def slow(address) -> socket.socket:
    """A byte now and then, of a message that never ends."""
    stranger = socket.create_connection(address)

    def drip() -> None:
        try:
            for byte in b"\x00\x00\x00\xff" + b"x" * 255:
                stranger.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    return stranger


def garbage(address) -> socket.socket:
    stranger = socket.create_connection(address)
    stranger.sendall(os.urandom(64))
    return stranger


@pytest.mark.parametrize("stranger", [silent, slow, garbage])
@pytest.mark.parametrize("count", [1, 20])
def test_workers_come_in_at_once_while_strangers_stay(opened, stranger, count: int) -> None:
    port, arrivals = opened(2)
    strangers = [stranger(port.address) for _ in range(count)]
    started = time.monotonic()
    workers = [connect(port.address, KEY) for _ in range(2)]
    for number, worker in enumerate(workers):
        worker.send(number)
    came = [arrivals.get(timeout=5) for _ in workers]
    assert sorted(connection.recv() for connection in came) == [0, 1]
    assert time.monotonic() - started < 3
    for each in strangers:
        each.close()


def test_a_silent_stranger_is_hung_up_on(opened, monkeypatch) -> None:
    monkeypatch.setattr(lane_port, "PROVE_SECONDS", 0.3)
    port, arrivals = opened(1)
    for stranger in (silent(port.address), slow(port.address)):
        stranger.settimeout(5)
        with pytest.raises(ConnectionError):
            while stranger.recv(100):  # the question whether it has the key, then the end
                pass
            raise ConnectionError
    assert arrivals.empty()


def test_of_too_many_the_oldest_is_hung_up_on(opened, monkeypatch) -> None:
    monkeypatch.setattr(lane_port, "MOST", 3)
    port, arrivals = opened(1)
    strangers = [silent(port.address) for _ in range(9)]
    assert connect(port.address, KEY)
    assert arrivals.get(timeout=5)
    deadline, left = time.monotonic() + 5, set(strangers)
    while len(left) > 3 and time.monotonic() < deadline:
        for stranger in select.select(left, [], [], 0.1)[0]:
            if not stranger.recv(100):
                left.remove(stranger)
    assert len(left) <= 3


def test_another_key_is_refused_and_the_port_closes_when_all_are_there(opened) -> None:
    port, arrivals = opened(1)
    with pytest.raises(AuthenticationError):
        connect(port.address, b"another")
    assert connect(port.address, KEY) and arrivals.get(timeout=5)
    deadline = time.monotonic() + 5
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(port.address, timeout=1).close()
            time.sleep(0.05)
    assert arrivals.empty()


def test_a_worker_does_not_wait_for_ever_for_a_lane_that_says_nothing(monkeypatch) -> None:
    monkeypatch.setattr(lane_port, "PROVE_SECONDS", 0.2)
    monkeypatch.setattr(lane_port, "CONNECT_SECONDS", 0.3)
    mute = socket.create_server(("127.0.0.1", 0))
    with mute, pytest.raises(OSError, match="cannot be reached"):
        connect(mute.getsockname(), KEY)
    monkeypatch.setattr(lane_port, "CONNECT_SECONDS", 60)
    with pytest.raises(OSError, match="refused"):  # nobody is there: at once
        connect(("127.0.0.1", 1), KEY)

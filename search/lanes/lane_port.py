"""The TCP port on which a lane accepts its workers, with mutual authentication by a shared key.

The handshake is that of multiprocessing.connection, in both directions, in a thread of its own for
each connection, and with a time limit: no stranger can keep the workers waiting.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge

from search.lanes.keepalive import keep_alive

PROVE_SECONDS = 30.0
"""The time limit of the handshake."""
MOST = 64
"""The most handshakes at a time; beyond it the oldest connection is closed."""
LOOK_SECONDS = 0.5
"""How often the listening thread checks whether the port is closed."""
CONNECT_SECONDS = 120.0
"""How long a worker tries to reach its lane."""

Address = tuple[str, int]


class LanePort:
    """Listens until `wanted` connections are authenticated, or it is closed; `arrived` is called
    with each connection, in that connection's thread."""

    def __init__(
        self, host: str, key: bytes, wanted: int, arrived: Callable[[Connection], None]
    ) -> None:
        self._key, self._wanted, self._arrived = key, wanted, arrived
        self._socket = socket.create_server((host, 0), backlog=128)
        self._socket.settimeout(LOOK_SECONDS)
        name = self._socket.getsockname()
        self.address: Address = (name[0], name[1])
        self._closed = threading.Event()
        self._counting = threading.Lock()
        self._proving: list[socket.socket] = []
        """The oldest first."""
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Stops accepting connections."""
        self._closed.set()

    def _listen(self) -> None:
        with self._socket:
            while not self._closed.is_set():
                try:
                    came, _ = self._socket.accept()
                except TimeoutError:
                    continue
                except OSError:
                    self._closed.wait(LOOK_SECONDS)  # too many open files: some will be closed
                    continue
                try:
                    threading.Thread(target=self._let_in, args=(came,), daemon=True).start()
                except RuntimeError:  # too many threads
                    came.close()

    def _let_in(self, came: socket.socket) -> None:
        with self._counting:
            self._proving.append(came)
            if len(self._proving) > MOST:
                _hang_up(self._proving.pop(0))
        try:
            connection = prove(came, self._key, asks_first=True)
        except Exception:
            return  # not a worker of this lane, whatever it sent
        finally:
            with self._counting:
                if came in self._proving:
                    self._proving.remove(came)
        with self._counting:
            if self._closed.is_set():
                connection.close()
                return
            self._wanted -= 1
            if not self._wanted:
                self._closed.set()
            self._arrived(connection)


def connect(address: Address, key: bytes) -> Connection:
    """A worker's authenticated connection to its lane; OSError where none is made in time."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            reached = socket.create_connection(address, timeout=PROVE_SECONDS)
            return prove(reached, key, asks_first=False)
        except (OSError, EOFError) as error:
            if time.monotonic() > deadline or isinstance(error, ConnectionRefusedError):
                raise OSError(f"the lane at {address[0]} cannot be reached ({error})") from error
            time.sleep(LOOK_SECONDS)


def prove(reached: socket.socket, key: bytes, *, asks_first: bool) -> Connection:
    """Runs the handshake on a socket: a connection whose ends have authenticated each other.

    Raises AuthenticationError, OSError or EOFError where it fails or takes too long; the socket is
    closed then.
    """
    reached.settimeout(None)
    # Two file descriptors for one socket, lest a late hang_up hit a reused descriptor.
    connection: Connection = Connection(reached.dup().detach())
    hung_up = threading.Event()

    def hang_up() -> None:
        hung_up.set()
        _hang_up(reached)

    late = threading.Timer(PROVE_SECONDS, hang_up)
    late.daemon = True
    late.start()
    try:
        keep_alive(connection)
        if asks_first:
            deliver_challenge(connection, key)
            answer_challenge(connection, key)
        else:
            answer_challenge(connection, key)
            deliver_challenge(connection, key)
    except BaseException:
        connection.close()
        raise
    finally:
        late.cancel()
        late.join()
        reached.close()
    if hung_up.is_set():
        connection.close()
        raise TimeoutError("the key was proven too late")
    return connection


def _hang_up(reached: socket.socket) -> None:
    """Shuts the socket down, so that a thread that reads from it gets an end of file."""
    with contextlib.suppress(OSError):
        reached.shutdown(socket.SHUT_RDWR)

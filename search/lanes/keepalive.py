"""TCP keep-alive for connections between a lane and its workers: detects a host that vanished."""

import contextlib
import socket
from multiprocessing.connection import Connection

IDLE_SECONDS, PROBE_SECONDS, PROBES = 15, 5, 3
"""Idle time before the first probe, time between probes, and unanswered probes until failure."""


def keep_alive(connection: "Connection[object, object]") -> None:
    """Turns on TCP keep-alive: reads fail about half a minute after the other host vanished."""
    with socket.socket(fileno=connection.fileno()) as plain:
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in (
                ("TCP_KEEPIDLE", IDLE_SECONDS),
                ("TCP_KEEPINTVL", PROBE_SECONDS),
                ("TCP_KEEPCNT", PROBES),
            ):
                with contextlib.suppress(AttributeError):  # not on every system
                    plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        finally:
            plain.detach()  # the connection keeps the file descriptor

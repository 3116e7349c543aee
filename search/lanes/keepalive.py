"""A connection that notices when the other host is gone without a word."""

import contextlib
import socket
from multiprocessing.connection import Connection

IDLE_SECONDS, PROBE_SECONDS, PROBES = 15, 5, 3
"""Silence before the first probe, between probes, and how many go unanswered."""


def keep_alive(connection: "Connection[object, object]") -> None:
    """Turns on TCP's keep-alive: after half a minute without the other host, reading fails."""
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
            plain.detach()  # the connection goes on with it

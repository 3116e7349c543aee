"""Looking at processes, and waiting for what they do."""

import os
import time

import psutil


def left_of(session: int) -> list[str]:
    """Commands of the processes that still run in a session."""
    left = []
    for process in psutil.process_iter(["cmdline", "status"]):
        try:
            there = os.getsid(process.pid) == session and process.info["status"] != "zombie"
        except ProcessLookupError:
            continue
        if there:
            left.append(" ".join(process.info["cmdline"] or []))
    return left


def wait_for(holds, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it has not come to that"
        time.sleep(0.2)

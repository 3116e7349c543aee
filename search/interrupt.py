"""Ctrl-C once stops softly, twice at once."""

import signal
import threading
from collections.abc import Callable
from types import FrameType


class Interrupt:
    """While entered: the first SIGINT or SIGTERM sets `asked`, the next one does what it did
    before."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.asked = False
        self._say = say
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *raised: object) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()
        self._say("Stopping: trials end where they are, what is done is kept (again: at once)")

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}

"""Signal handling: the first SIGINT, SIGTERM or SIGHUP stops a run softly, the next one at once."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a run: Ctrl-C, a request to terminate, and a closed terminal."""
SAME_SECONDS = 0.5
"""A second SIGTERM so soon is the same one: `timeout` sends it to the process and to its group."""
AGAIN_SECONDS = 0.05
"""The delay after which a lost KeyboardInterrupt is raised again."""


class Interrupt:
    """Requests a soft stop: while entered, the first signal sets `asked`, and the next one has its
    previous handler.

    SIGHUP never is that next one: a closed terminal sends one, its shell another. Where it is
    ignored, by nohup, it stays ignored.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.asked = False
        self._say = say
        self._since = 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        for number in _heeded(END):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *raised: object) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked, self._since = True, time.monotonic()
            self._say("Stopping: trials end where they are, what is done is kept (again: at once)")
        elif number == signal.SIGINT or not self._is_the_same(number):
            self._restore()
            signal.raise_signal(number)

    def _is_the_same(self, number: int) -> bool:
        return number == signal.SIGHUP or time.monotonic() - self._since < SAME_SECONDS

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}


@contextlib.contextmanager
def ending_cleanly() -> Iterator[None]:
    """While entered, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, so that clean-up
    code runs; further ones are ignored meanwhile."""
    before: dict[signal.Signals, Any] = {}

    def end(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in _heeded((signal.SIGTERM, signal.SIGHUP)):
        before[number] = signal.signal(number, end)
    try:
        with _none_unheard(end if before else signal.default_int_handler):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _none_unheard(end: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """While entered, a KeyboardInterrupt that Python could not propagate is raised again by `end`.

    One raised in a destructor or in the callback of a weak reference ends there, with a line on
    standard error (sys.unraisablehook), and the user's request would be lost.
    """
    hook_before, again = sys.unraisablehook, list[threading.Timer]()

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if not (issubclass(unraisable.exc_type, KeyboardInterrupt) and _is_main_thread()):
            hook_before(unraisable)
            return
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, END)
        # Later, from another thread: raised here it would be unraisable once more.
        main = threading.get_ident()
        timer = threading.Timer(AGAIN_SECONDS, signal.pthread_kill, (main, signal.SIGTERM))
        timer.daemon = True
        again.append(timer)
        timer.start()
        signal.signal(signal.SIGTERM, end)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = hook_before
        for timer in again:
            timer.cancel()


@contextlib.contextmanager
def handlers_kept() -> Iterator[None]:
    """Around ray.init and ray.shutdown: restores the handler of SIGTERM on exit, which Ray replaces
    by one that kills. Processes started meanwhile inherit a blocked SIGHUP, so that a closed
    terminal does not end those that a soft stop needs."""
    before = signal.getsignal(signal.SIGTERM)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        if _is_main_thread():
            signal.signal(signal.SIGTERM, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _heeded(numbers: tuple[signal.Signals, ...]) -> list[signal.Signals]:
    """The signals whose handlers can be set from this thread, without an ignored SIGHUP."""
    if not _is_main_thread():
        return []
    hangup_is_ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [n for n in numbers if n != signal.SIGHUP or not hangup_is_ignored]


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()

"""Standard output and error that a command may go on writing to when nobody reads them any more."""

import contextlib
import errno
import functools
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TextIO, cast

Given = ParamSpec("Given")

GONE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO}
"""Errors of a reader, or a terminal, that will not come back. A disk that is full may."""
NAMES = ("stdout", "stderr")
CUT = 130
"""Exit status after Ctrl-C."""


class Unbreakable:
    """A text stream whose write and flush never fail: what cannot be written is dropped.

    Everything else is the stream's own.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):  # a name in letters that the terminal lacks
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes if it can."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Writes if it can."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flushes if it can."""
        self._try(self._stream.flush)

    def settle(self) -> None:
        """Flushes, or gives up what is left, so that Python has nothing to write when it exits."""
        try:
            self._stream.flush()
        except (OSError, ValueError, RuntimeError):
            self._give_up()

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            if error.errno in GONE:
                self._give_up()
        except (ValueError, RuntimeError):
            # It was closed; or a signal's handler prints in the middle of a print.
            return

    def _give_up(self) -> None:
        """What is written from now on, here and by child processes, goes nowhere."""
        with contextlib.suppress(OSError, ValueError):
            _to_nowhere(self._stream.fileno())
            self._stream.flush()


def unbroken(main: Callable[Given, int]) -> Callable[Given, int]:
    """A command's main that does not end because its output cannot be written; where it is cut by
    Ctrl-C its exit status is 130."""

    @functools.wraps(main)
    def run(*words: Given.args, **options: Given.kwargs) -> int:
        with unbreakable():
            try:
                return main(*words, **options)
            except KeyboardInterrupt:
                return CUT

    return run


@contextlib.contextmanager
def unbreakable() -> Iterator[None]:
    """While entered, printing to standard output and error never fails."""
    _fill_closed()
    before = {name: getattr(sys, name) for name in NAMES}
    ours = {name: Unbreakable(stream) for name, stream in before.items() if stream is not None}
    for name, stream in ours.items():
        setattr(sys, name, cast(TextIO, stream))
    try:
        yield
    finally:
        for name, stream in ours.items():
            stream.settle()
            setattr(sys, name, before[name])


def _fill_closed() -> None:
    """Else the next file that is opened, a ledger perhaps, would be what the children of this
    process take for their standard output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            _to_nowhere(number)
    for name in NAMES:
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
    else:
        os.set_inheritable(number, True)

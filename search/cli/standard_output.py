"""Standard output and error that never fail: writes to a broken pipe or closed terminal are
dropped, so that a closed terminal does not end a search."""

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
"""Permanent errors, of a reader or a terminal that has gone; a full disk may get space again."""
NAMES = ("stdout", "stderr")
CUT = 130
"""The exit status after Ctrl-C."""


class Unbreakable:
    """A proxy of a text stream whose write and flush never fail: what cannot be written is
    dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):  # names may have letters that its encoding lacks
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes, or drops what cannot be written."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Writes, or drops what cannot be written."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flushes, ignoring errors."""
        self._try(self._stream.flush)

    def settle(self) -> None:
        """Flushes, or discards what is left, so that Python has nothing to write when it exits."""
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
            # The stream was closed; or a signal handler prints in the middle of a print.
            return

    def _give_up(self) -> None:
        """Redirects the stream to the null device, for child processes too."""
        with contextlib.suppress(OSError, ValueError):
            _to_nowhere(self._stream.fileno())
            self._stream.flush()


def unbroken(main: Callable[Given, int]) -> Callable[Given, int]:
    """Decorates a command's main: output that cannot be written does not end it, and Ctrl-C makes
    the exit status 130."""

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
    """Opens closed standard streams on the null device: the next opened file, a ledger perhaps,
    would get the number of one, and child processes would write into it."""
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

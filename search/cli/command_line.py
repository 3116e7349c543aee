"""Parses the command line into option dataclasses (tyro), and reports bad input in one line."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

import tyro

from search.cli import credentials

Options = TypeVar("Options")

BAD_INPUT = 2
"""The exit status for bad input."""

_TITLE = re.compile(r"^(Unrecognized options|Invalid choice|Missing argument|Value error) ")
_BOX = re.compile(r"[╭╮╰╯│─┌┐└┘]+|\x1b\[[0-9;]*m")


def parse(kind: type[Options], words: Sequence[str], program: str) -> Options:
    """Parses `words` into the dataclass `kind`; exits 0 after --help, 2 with one line for a bad
    option."""
    try:
        credentials.check_words(words)  # before any message repeats them
    except ValueError as error:
        raise SystemExit(refuse(str(error))) from None
    drawn = io.StringIO()
    try:
        with contextlib.redirect_stderr(drawn):
            return tyro.cli(
                kind,
                args=list(words),
                prog=program,
                config=(
                    tyro.conf.OmitArgPrefixes,
                    tyro.conf.FlagCreatePairsOff,
                ),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise SystemExit(refuse(_one_line(drawn.getvalue()))) from None


class BadInput(Exception):
    """Invalid options, data or environment; the message says what is wrong, and what to do."""


@contextlib.contextmanager
def checking() -> Iterator[None]:
    """While entered, a ValueError is raised as BadInput: a mistake of the user, not a bug."""
    try:
        yield
    except ValueError as error:
        raise BadInput(str(error)) from error


def refuse(message: str) -> int:
    """Prints an error in one line to stderr; returns the exit status for bad input."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT


def _one_line(drawn: str) -> str:
    """The message in tyro's error box as one line, without title and help text."""
    text = " ".join(_BOX.sub(" ", drawn).split())
    text = re.split(r"Argument helptext|For full helptext|Perhaps you meant", text)[0]
    unread = re.search(r"Error parsing (\S+): .*?from \[(.*?)\]", text)
    if unread:
        return f"{unread[1]} cannot be {unread[2]}"
    return _TITLE.sub("", text)

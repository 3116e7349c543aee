"""Sanitises names of files and classes to printable text of one line."""

import re
import unicodedata
from collections.abc import Sequence

from models import quantities

_NO_UTF8 = re.compile("[\udc80-\udcff]+")
"""Surrogate escapes, as which Python's file functions hand over bytes that are no UTF-8."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line separators, bidirectional controls and lone surrogates."""


def is_utf8(name: str) -> bool:
    """Whether `name`, as a folder lists it, is UTF-8."""
    return not _NO_UTF8.search(name)


def readable(text: str) -> str:
    """`text` that can be printed and written anywhere, in one line.

    Bytes that are no UTF-8 are taken for Windows-1252; control characters and lone surrogates
    become "_".
    """
    return _CONTROL.sub("_", _NO_UTF8.sub(_from_latin, text))


def class_name(folder_name: str) -> str:
    """The class name of a folder, normalised to Unicode NFC.

    How a file system or an archive composes its letters makes no difference.
    """
    return unicodedata.normalize("NFC", readable(folder_name))


def some(names: Sequence[str], most: int = 3) -> str:
    """The first `most` of `names`, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 image", "2 images"."""
    return quantities.count(count, one, many)


def _from_latin(found: re.Match[str]) -> str:
    return found[0].encode("ascii", "surrogateescape").decode("cp1252", "replace")

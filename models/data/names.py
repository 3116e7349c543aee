"""Names of files and classes as clean text, whatever bytes a folder has them in."""

import re
import unicodedata
from collections.abc import Sequence

from models import quantities

_NO_UTF8 = re.compile("[\udc80-\udcff]+")
"""How Python's file functions hand over bytes of a name that are no UTF-8."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""The last but one are what turns the direction of letters."""


def is_utf8(name: str) -> bool:
    """Whether `name`, as a folder lists it, is UTF-8."""
    return not _NO_UTF8.search(name)


def readable(text: str) -> str:
    """`text` that can be printed and written anywhere, in one line.

    Bytes that are no UTF-8 are taken for Latin-1 as Windows has it; control characters, and halves
    of characters, become "_".
    """
    return _CONTROL.sub("_", _NO_UTF8.sub(_from_latin, text))


def class_name(folder_name: str) -> str:
    """The name of the class in the folder `folder_name`, in Unicode's form NFC: how a file system
    or an archive composes its letters makes no difference."""
    return unicodedata.normalize("NFC", readable(folder_name))


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of `names`, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 image", "2 images"."""
    return quantities.count(count, one, many)


def _from_latin(found: re.Match[str]) -> str:
    return found[0].encode("ascii", "surrogateescape").decode("cp1252", "replace")

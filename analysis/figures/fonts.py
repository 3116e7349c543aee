"""Finds installed font families that together have the letters of names in any script."""

import contextlib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.font_manager import FontEntry
from matplotlib.ft2font import FT2Font

FIRST = "DejaVu Sans"
"""Comes with matplotlib; has Latin, Greek, Cyrillic and Arabic letters and some emoji."""
BOXES = "last resort"
"""Part of the names of fonts that draw a box for every letter."""


class Fonts(NamedTuple):
    """Font families to draw a text with, and the letters that none of them has."""

    families: tuple[str, ...]
    """In the order in which they are tried."""
    lacking: frozenset[str]
    """Letters that none of them has."""


def fonts_for(texts: Iterable[str]) -> Fonts:
    """Families that together have all letters of `texts` that any installed font has."""
    return _fonts_for(frozenset(letter for text in texts for letter in text))


@lru_cache(maxsize=32)
def _fonts_for(letters: frozenset[str]) -> Fonts:
    lacking, families = letters, [FIRST]
    for entry in _regular_fonts():
        if not lacking:
            break
        if entry.name not in families or entry.name == FIRST:
            here = _has(entry, lacking)
            if here and entry.name != FIRST:
                families.append(entry.name)
            lacking -= here
    return Fonts(tuple(families), lacking)


def _regular_fonts() -> Iterator[FontEntry]:
    """One font a family, upright and of normal weight: the first family, then those without
    serifs, then the others; last those that were installed since matplotlib looked."""
    known = list(font_manager.fontManager.ttflist)
    yield from _in_order(known)
    there = {entry.fname for entry in known}
    for path in font_manager.findSystemFonts():
        if path not in there:
            with contextlib.suppress(Exception):  # whatever a damaged font makes FreeType say
                font_manager.fontManager.addfont(path)
    yield from _in_order(font_manager.fontManager.ttflist[len(known) :])


def _in_order(entries: list[FontEntry]) -> list[FontEntry]:
    regular: dict[str, FontEntry] = {}
    for entry in entries:
        plain = (entry.style, entry.stretch, str(entry.weight)) == ("normal", "normal", "400")
        if plain and BOXES not in entry.name.lower().replace(".lastresort", BOXES):
            regular.setdefault(entry.name, entry)
    return sorted(regular.values(), key=lambda e: (e.name != FIRST, "Sans" not in e.name, e.name))


def _has(entry: FontEntry, letters: frozenset[str]) -> frozenset[str]:
    """Which of `letters` the font draws."""
    try:
        font = FT2Font(entry.fname, face_index=entry.index)
        if not font.scalable:
            return frozenset()
        font.set_size(10, 72)
        return frozenset(letter for letter in letters if _draws(font, letter))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def _draws(font: FT2Font, letter: str) -> bool:
    """Whether the font draws the letter, and not as a blank, as fonts in colour do; spaces and
    joiners may be blank."""
    if not font.get_char_index(ord(letter)):
        return False
    blank = unicodedata.category(letter) in ("Zs", "Cf", "Mn", "Me")
    glyph = font.load_char(ord(letter))
    return blank or glyph.width > 0

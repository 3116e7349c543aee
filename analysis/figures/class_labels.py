"""What classes are called in figures: by their names, or by number where no font has the letters.

On the page they have their names: the reader's browser has its own fonts.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from analysis.figures.fonts import fonts_for
from analysis.run.labels import shorten
from models.data.names import readable

MOST_TOLD = 12
"""Numbers explained in a caption; the others in the table of classes."""
FILE = "class_numbers.txt"


class ClassLabels(NamedTuple):
    """The classes of a run, by their numbers."""

    names: tuple[str, ...]
    numbered: tuple[int, ...]
    """Those that figures call by number."""
    families: tuple[str, ...]
    """Of the fonts that the others need."""

    def label(self, number: int, most: int) -> str:
        """What one class is called, in at most so many letters' room."""
        if number in self.numbered:
            return f"#{number}"
        return shorten(self.names[number], most)

    def labels(self, most: int) -> list[str]:
        """The same of all, made to differ: names that begin alike have their numbers before."""
        plain = [self.label(number, most) for number in range(len(self.names))]
        times = Counter(plain)
        return [
            f"#{number} {shorten(self.names[number], most - 2 - len(str(number)))}"
            if times[label] > 1
            else label
            for number, label in enumerate(plain)
        ]

    @property
    def legend(self) -> str:
        """What the numbers stand for, a sentence; empty where there are none."""
        if not self.numbered:
            return ""
        told = ", ".join(
            f"#{number} = {self.names[number]}" for number in self.numbered[:MOST_TOLD]
        )
        left = len(self.numbered) - MOST_TOLD
        more = f" and {left} more in the table of classes" if left > 0 else ""
        return f"Classes whose letters no font of this machine has are numbers here: {told}{more}."

    @property
    def listing(self) -> str:
        """A line a class that is a number in figures: the number and the name."""
        return "".join(f"#{number}\t{self.names[number]}\n" for number in self.numbered)


def labels_of(names: Sequence[str]) -> ClassLabels:
    """Of classes with these names, in their order."""
    return _labels_of(tuple(names))


@lru_cache(maxsize=8)
def _labels_of(names: tuple[str, ...]) -> ClassLabels:
    clean = tuple(readable(name).strip() for name in names)
    fonts = fonts_for(clean)
    numbered = tuple(n for n, name in enumerate(clean) if not name or fonts.lacking & set(name))
    return ClassLabels(clean, numbered, fonts.families)

"""Labels of classes in figures: names, or numbers where no font of this machine has the letters.

The page shows their names: the reader's browser has its own fonts.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from analysis.figures.fonts import fonts_for
from analysis.run.labels import shorten
from models.data.names import readable

MOST_TOLD = 12
"""Most numbers explained in a caption; the others are in the table of classes."""
FILE = "class_numbers.txt"


class ClassLabels(NamedTuple):
    """Labels of a run's classes, by their numbers."""

    names: tuple[str, ...]
    numbered: tuple[int, ...]
    """Classes that figures label by number."""
    families: tuple[str, ...]
    """Font families that the other labels need."""

    def label(self, number: int, most: int) -> str:
        """The label of one class, at most `most` columns wide."""
        if number in self.numbered:
            return f"#{number}"
        return shorten(self.names[number], most)

    def labels(self, most: int) -> list[str]:
        """All labels, made unique: names that are cut to the same text get their numbers in
        front."""
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
        """A line of number and name for each class that figures label by number."""
        return "".join(f"#{number}\t{self.names[number]}\n" for number in self.numbered)


def labels_of(names: Sequence[str]) -> ClassLabels:
    """Labels of classes with these names, in their order."""
    return _labels_of(tuple(names))


@lru_cache(maxsize=8)
def _labels_of(names: tuple[str, ...]) -> ClassLabels:
    clean = tuple(readable(name).strip() for name in names)
    fonts = fonts_for(clean)
    numbered = tuple(n for n, name in enumerate(clean) if not name or fonts.lacking & set(name))
    return ClassLabels(clean, numbered, fonts.families)

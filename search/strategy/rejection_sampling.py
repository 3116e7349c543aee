"""Rejection sampling of designs: samples of the space, or neighbours of a design, until one may
begin."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic

from search.space.random_sampling import NeighbourSuggest
from search.terms.actions import D, Space, Suggest

MOST_DRAWS = 2000
"""Samples until a design is feasible, at most."""


@dataclass(frozen=True)
class RejectionSampler(Generic[D]):
    """Samples designs of a space that may begin."""

    space: Space[D]
    draw: Callable[[Random], Suggest]
    """Makes a `Suggest` from random numbers, with which a design is sampled."""
    allows: Callable[[D], bool]
    """The constraint on designs, constant over time."""
    may_begin: Callable[[D], bool]
    """That constraint, and those of the moment."""
    least: Sequence[D] = ()
    """Small designs, near which one is sampled where few designs are feasible."""

    def sample(self, random: Random) -> D:
        """A design that may begin; any one where such are too rare to be found."""
        design = self._first(self.draw(random) for _ in itertools.count())
        for least in filter(self.allows, self.least if design is None else ()):
            design = design or self.near(least, random)
        return self.space.sample(self.draw(random)) if design is None else design

    def near(self, design: D, random: Random) -> D | None:
        """A neighbour of a design that may begin; None where such are too rare to be found."""
        return self._first(itertools.repeat(NeighbourSuggest(random, self.space.answers(design))))

    def _first(self, suggests: Iterable[Suggest]) -> D | None:
        """The first that may begin of up to MOST_DRAWS samples, or None."""
        drawn = map(self.space.sample, itertools.islice(suggests, MOST_DRAWS))
        return next(filter(self.may_begin, drawn), None)

"""Rungs: the epochs at which trials pause and are compared."""

FIRST_RUNG = 1
REDUCTION = 3
LAST_STEP = 1.5
"""A last rung that would be less than so many times the one before takes its place."""


def rungs_of(epochs: int, first: int = FIRST_RUNG, reduction: int = REDUCTION) -> tuple[int, ...]:
    """The rungs of a design of `epochs`: absolute epochs, the last its own end.

    >>> ladder(50)
    (1, 3, 9, 27, 50)
    """
    rungs = []
    rung = first
    while rung * LAST_STEP < epochs:
        rungs.append(rung)
        rung *= reduction
    return (*rungs, epochs)


def next_rung(epochs: int, after: int) -> int:
    """The first rung of a design of `epochs` beyond epoch `after`."""
    return next(rung for rung in rungs_of(epochs) if rung > after)

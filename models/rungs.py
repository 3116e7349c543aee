"""Rungs: the epochs at which trials pause and are compared, and at which cyclic schedules end."""

FIRST_RUNG = 1
REDUCTION = 3
LAST_STEP = 1.5
"""A rung is dropped where the design's last epoch is at most so many times the rung."""


def rungs_of(epochs: int, first: int = FIRST_RUNG, reduction: int = REDUCTION) -> tuple[int, ...]:
    """The rungs of a design of `epochs`: absolute epochs, the last one its own last epoch.

    >>> rungs_of(50)
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

"""Formats percentages, percentage points, sizes and memory, beside models.quantities."""

from models.quantities import UNKNOWN, amount, count, duration, hours, number

__all__ = [
    "UNKNOWN",
    "amount",
    "count",
    "duration",
    "hours",
    "memory",
    "number",
    "percent",
    "points",
    "size",
]


def percent(fraction: float | None, digits: int = 1) -> str:
    """0.8631 as "86.3 %"."""
    return UNKNOWN if fraction is None else f"{100 * fraction:.{digits}f} %"


def points(fraction: float) -> str:
    """A difference of two accuracies in percentage points: 0.013 as "1.3 points"."""
    return f"{100 * fraction:.1f} {'point' if round(100 * fraction, 1) == 1 else 'points'}"


def size(whole: int) -> str:
    """Parameters or FLOPs on an axis: 30,730 as "31k", 806,000 as "806k"."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if whole >= factor:
            return f"{whole / factor:.3g}{unit}"
    return str(whole)


def memory(bytes_: float | None) -> str:
    """Bytes in GiB."""
    return UNKNOWN if bytes_ is None else f"{bytes_ / 2**30:.1f} GiB"

"""How numbers with units are written for people."""

import math

UNKNOWN = "not recorded"


def percent(fraction: float | None, digits: int = 1) -> str:
    """0.8631 as "86.3 %"."""
    return UNKNOWN if fraction is None else f"{100 * fraction:.{digits}f} %"


def points(fraction: float) -> str:
    """A difference of two accuracies in percentage points: 0.013 as "1.3 points"."""
    return f"{100 * fraction:.1f} {'point' if round(100 * fraction, 1) == 1 else 'points'}"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits them: "35 ms", "42 s", "12 min", "9.0 h"."""
    if seconds is None:
        return UNKNOWN
    if 0 < seconds < 1e-3:
        return f"{1e6 * seconds:.3g} µs"
    if 0 < seconds < 1:
        return f"{1e3 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:,.1f} h"


def count(number: float | None, noun: str = "", plural: str = "") -> str:
    """A whole number with its noun: "1 trial", "30,730 parameters"."""
    if number is None:
        return UNKNOWN
    if not noun:
        return f"{number:,.0f}"
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"


def amount(value: float | None) -> str:
    """Hours or money to three significant digits, without an exponent where that is readable."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-6:
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def size(number: int) -> str:
    """Parameters or FLOPs on an axis: 30,730 as "31k", 806,000 as "806k"."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= factor:
            return f"{number / factor:.3g}{unit}"
    return str(number)


def memory(bytes_: float | None) -> str:
    """Bytes in GiB."""
    return UNKNOWN if bytes_ is None else f"{bytes_ / 2**30:.1f} GiB"

"""Formats durations, counts, device-hours and amounts of money for people."""

import math

UNKNOWN = "not recorded"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits them: "45 ms", "0.31 s", "12 s", "3 min 20 s", "9 h"."""
    if seconds is None or math.isnan(seconds):
        return UNKNOWN
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if math.isinf(seconds):
        return "without end"
    if seconds == 0 or _rounded(seconds) >= 0.1:
        return _from_tenths(seconds)
    for unit, factor in (("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
        if _rounded(factor * seconds) >= 0.1:
            return f"{number(factor * seconds)} {unit}"
    return "less than 0.1 ns"


def _from_tenths(seconds: float) -> str:
    if _rounded(seconds) < 60:
        return f"{number(seconds)} s"
    if round(seconds) < 3600:
        return _two(round(seconds), "min", "s")
    minutes = round(seconds / 60)
    if minutes < 6000:
        return _two(minutes, "h", "min")
    return f"{round(seconds / 3600):,} h"


def _two(amount: int, unit: str, smaller: str) -> str:
    """A duration in whole units and the rest in sixtieths: "3 min 20 s"."""
    whole, rest = divmod(amount, 60)
    return f"{whole} {unit}" + (f" {rest} {smaller}" if rest else "")


def number(value: float) -> str:
    """A number to three significant digits, integers in full: "0.333", "12.5", "1,234,000"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.3g}"
    return f"{_rounded(value):,.10f}".rstrip("0").rstrip(".")


def count(amount: float | None, noun: str = "", plural: str = "") -> str:
    """A count with its noun: "1 trial", "30,730 parameters", "0.5 GPU-hours"."""
    if amount is None:
        return UNKNOWN
    text = number(amount)
    if not noun:
        return text
    return f"{text} {noun if text == '1' else plural or noun + 's'}"


def hours(value: float, device: str) -> str:
    """Hours of a device: "0.52 GPU-hours"; less than a hundredth as "45 ms of a GPU"."""
    if 0 < abs(value) < 0.01:
        return f"{duration(3600 * value)} of a {device}"
    return count(value, f"{device.replace(' ', '-')}-hour")


def amount(value: float | None) -> str:
    """Hours or money to three significant digits, without an exponent where that is readable."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")

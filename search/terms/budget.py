"""The budget of a search (--budget): limits on wall-clock time, GPU-hours, money and trials."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.quantities import count, duration, hours, number

FORMS = "30s, 30min, 2h, 1d, 6gpuh, $20 or 200trials"
MOST_BESIDE = 0.05
"""The part of a limit on time that what is not the search may take from it."""
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400}
_PATTERN = re.compile(r"(?P<money>[$€£])?(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]*)")


@dataclass(frozen=True)
class Budget:
    """The limits of a search; infinity where there is none."""

    seconds: float = math.inf
    """Wall-clock seconds, of the whole command."""
    gpu_hours: float = math.inf
    """GPU-hours held by trials, start-up included."""
    money: float = math.inf
    """Cost of the resources that trials held."""
    trials: float = math.inf

    @property
    def limits_use(self) -> bool:
        """Whether there is a limit on the resources that trials hold: GPU-hours or money."""
        return min(self.gpu_hours, self.money) < math.inf

    @property
    def limits_time(self) -> bool:
        """Whether there is a limit beside that on trials."""
        return self.limits_use or self.seconds < math.inf

    def without(self, beside: float) -> "Budget":
        """The budget of the search alone, where the command takes `beside` seconds for other
        things: starting, and scoring the winner. They take MOST_BESIDE of the time at most."""
        return replace(self, seconds=self.seconds - min(beside, MOST_BESIDE * self.seconds))

    def spent(self, seconds: float, gpu_hours: float, money: float) -> str:
        """The name of the limit that is reached, for messages; empty while none is."""
        if seconds >= self.seconds:
            return "time"
        if gpu_hours >= self.gpu_hours:
            return "GPU-hours"
        return "money" if money >= self.money else ""

    def __str__(self) -> str:
        parts = []
        if self.seconds < math.inf:
            parts.append(duration(self.seconds))
        if self.gpu_hours < math.inf:
            parts.append(hours(self.gpu_hours, "GPU"))
        if self.money < math.inf:
            parts.append(f"{number(self.money)} in money")
        if self.trials < math.inf:
            parts.append(count(self.trials, "trial"))
        return " or ".join(parts) or "none"


def parse(texts: Sequence[str]) -> Budget:
    """Parses texts such as "30min" or "6gpuh,200trials"; raises ValueError for malformed ones.

    Of two limits of one kind the smaller applies.
    """
    if not texts:
        raise ValueError(f"--budget needs a limit: give {FORMS}")
    limits: dict[str, float] = {}
    for text in (part for item in texts for part in item.split(",")):
        kind, amount = _limit(text.strip())
        limits[kind] = min(amount, limits.get(kind, math.inf))
    return Budget(**limits)


def _limit(text: str) -> tuple[str, float]:
    match = _PATTERN.fullmatch(text.lower())
    wrong = ValueError(f"--budget {text!r} cannot be read: give {FORMS}")
    if match is None:
        raise wrong
    number, unit = float(match["number"]), match["unit"]
    if number <= 0:
        raise ValueError(f"--budget {text!r} must be more than 0")
    if match["money"]:
        if unit:
            raise wrong
        return "money", number
    if unit in _SECONDS:
        return "seconds", number * _SECONDS[unit]
    if unit == "gpuh":
        return "gpu_hours", number
    if unit in ("trial", "trials") and number.is_integer():
        return "trials", number
    raise wrong

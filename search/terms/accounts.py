"""What a trial has used: worker-seconds by item and by the share of a machine that was held.

A fold over the trial's lines. Each epoch says what it took; what was held in lanes beside that is
known from when the trial came into them. A cost line books a part of it for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ITEMS = ("training", "evaluation", "lost", "overhead")
"""Lost is what was trained and thrown away: an epoch that was cut with its lane or its search, or
trained again. Overhead is the rest: start-up, messages, waiting in a lane."""


class Share(NamedTuple):
    """The workers of a trial, and what each of them holds."""

    workers: int = 1
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0


Held = dict[Share, float]
"""Worker-seconds."""
Use = dict[tuple[str, Share], float]
"""Worker-seconds, by item too."""
ORIGIN = 1.7e9
"""A time not far from all others: sums of times stay small."""
ALL_LOST = float("-inf")
"""A time before all others: whatever a trial held since its newest epoch is lost."""


def share_of(line: Mapping[str, Any], default: Share) -> Share:
    """What a ledger's line says of the share; what it does not say is as in `default`."""
    return Share(*(line.get(name, value) for name, value in default._asdict().items()))


@dataclass
class Stay:
    """A trial's time in a lane, until what it held there is booked."""

    share: Share
    since: float
    newest: float
    """When it told an epoch last; when it came, before the first."""
    told: float = 0.0
    """Worker-seconds of the epochs that it told."""
    until: float | None = None
    """Where it was cut with the whole search; None while it goes on."""

    def beside_epochs(self, now: float, lost_from: float) -> tuple[float, float]:
        """What is lost, of the time since the newest epoch that from `lost_from` on, and overhead,
        all the rest."""
        end = max(self.newest, now if self.until is None else self.until)
        lost = end - min(end, max(self.newest, lost_from))
        between = max(0.0, self.share.workers * (self.newest - self.since) - self.told)
        return self.share.workers * lost, (
            between + self.share.workers * (end - self.newest - lost)
        )


@dataclass
class Account:
    """One trial's."""

    booked: Use = field(default_factory=dict)
    due: Use = field(default_factory=dict)
    """What epochs told and is not booked yet; less than nothing where booked training was thrown
    away since."""
    stay: Stay | None = None
    shares: dict[int, Share] = field(default_factory=dict)
    """With which each epoch was trained."""

    def open(self, now: float | None, lost_from: float = ALL_LOST) -> Use:
        """What is not booked at the time `now`, with what is lost from `lost_from` on."""
        use = dict(self.due)
        if self.stay is not None and now is not None:
            beside = self.stay.beside_epochs(now, lost_from)
            for item, seconds in zip(("lost", "overhead"), beside, strict=True):
                _add(use, item, self.stay.share, seconds)
        return use

    def trend(self) -> "Trend":
        """The sum of what is open, from the stay's newest line on."""
        trend = Trend(by_share(self.due))
        stay = self.stay
        if stay is None:
            return trend
        beside = stay.share.workers * (stay.newest - stay.since) - stay.told
        if stay.until is None:
            add(trend.fixed, {stay.share: -stay.share.workers * (stay.newest - ORIGIN)})
            add(trend.rate, {stay.share: float(stay.share.workers)})
        else:
            beside_newest = stay.share.workers * max(0.0, stay.until - stay.newest)
            add(trend.fixed, {stay.share: beside_newest})
        add(trend.fixed, {stay.share: max(0.0, beside)})
        return trend

    def book(self, item: str, share: Share, seconds: float) -> None:
        """A cost line."""
        _add(self.booked, item, share, seconds)
        _add(self.due, item, share, -seconds)

    def tell(self, line: Mapping[str, Any], share: Share) -> None:
        """An epoch's line."""
        train, evaluation = line["train_seconds"], line["eval_seconds"]
        self.shares[line["epoch"]] = share
        _add(self.due, "training", share, train)
        _add(self.due, "evaluation", share, evaluation)
        if self.stay is not None:
            self.stay.told += train + evaluation
            self.stay.newest = max(self.stay.newest, line.get("time", 0.0))

    def throw_away(self, line: Mapping[str, Any]) -> None:
        """An epoch that was told, and is trained again."""
        share, train, evaluation = (
            self.shares[line["epoch"]],
            line["train_seconds"],
            line["eval_seconds"],
        )
        _add(self.due, "training", share, -train)
        _add(self.due, "evaluation", share, -evaluation)
        _add(self.due, "lost", share, train + evaluation)

    def enter_lane(self, share: Share, now: float) -> None:
        """From `now` on the trial holds workers."""
        if self.stay is None:
            self.stay = Stay(share, now, now)

    def leave_lane(self) -> None:
        """It holds none any more; what it held is booked."""
        self.stay, self.due = None, {}


@dataclass
class Trend:
    """What trials hold as it grows with time: to ask for it costs the same for a thousand."""

    fixed: Held = field(default_factory=dict)
    rate: Held = field(default_factory=dict)
    """Worker-seconds a second, since ORIGIN."""

    def change(self, other: "Trend", sign: int) -> None:
        """Adds `other`, or takes it away."""
        add(self.fixed, {share: sign * seconds for share, seconds in other.fixed.items()})
        add(self.rate, {share: sign * rate for share, rate in other.rate.items()})

    def held(self, now: float) -> Held:
        """At the time `now`."""
        held = dict(self.fixed)
        add(held, {share: rate * (now - ORIGIN) for share, rate in self.rate.items()})
        return held


def _add(use: Use, item: str, share: Share, seconds: float) -> None:
    use[item, share] = use.get((item, share), 0.0) + seconds


def add(held: Held, more: Held) -> None:
    """Adds `more` to `held`."""
    for share, seconds in more.items():
        held[share] = held.get(share, 0.0) + seconds


def by_share(*uses: Use) -> Held:
    """The sum of all items."""
    held: Held = {}
    for use in uses:
        for (_, share), seconds in use.items():
            add(held, {share: seconds})
    return held


def by_item(*uses: Use) -> dict[str, Held]:
    """Each item by share, in the order of ITEMS."""
    items: dict[str, Held] = {}
    for use in uses:
        for (item, share), seconds in use.items():
            add(items.setdefault(item, {}), {share: seconds})
    order = {item: number for number, item in enumerate(ITEMS)}
    return dict(sorted(items.items(), key=lambda each: order.get(each[0], len(order))))

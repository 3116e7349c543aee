"""Resource accounting of a trial: worker-seconds by cost item and by resources per worker.

An account is a fold over the trial's ledger lines. Each epoch line reports its own seconds; the
rest of the time in a lane follows from the time at which the trial entered it. A cost line books
a part of the use permanently.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ITEMS = ("training", "evaluation", "lost", "overhead")
"""Cost items. "lost" is discarded training: an epoch that was interrupted with its lane or its
search, or trained again. "overhead" is the rest: start-up, messages, waiting in a lane."""


class Share(NamedTuple):
    """The resources of a trial: its number of workers, and the CPUs and GPUs that each holds."""

    workers: int = 1
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0


Held = dict[Share, float]
"""Worker-seconds by share."""
Use = dict[tuple[str, Share], float]
"""Worker-seconds by cost item and share."""
ORIGIN = 1.7e9
"""Reference time of `Trend`, seconds since 1970, near all times of a run: sums of differences from
it stay small, and keep their floating-point precision."""
ALL_LOST = float("-inf")
"""A `lost_from` before all times: all that a trial held since its newest epoch counts as lost."""


def share_of(line: Mapping[str, Any], default: Share) -> Share:
    """The share that a ledger line records; fields that it lacks are taken from `default`."""
    return Share(*(line.get(name, value) for name, value in default._asdict().items()))


@dataclass
class Stay:
    """The use of one leg: a trial's time in a lane, until its cost is booked. Times are seconds
    since 1970."""

    share: Share
    since: float
    newest: float
    """Time of the newest reported epoch; equal to `since` before the first."""
    told: float = 0.0
    """Worker-seconds of the reported epochs."""
    until: float | None = None
    """When the leg was cut off with the whole session; None while it goes on."""

    def beside_epochs(self, now: float, lost_from: float) -> tuple[float, float]:
        """Worker-seconds held beside the reported epochs, as (lost, overhead): the time after the
        newest epoch from `lost_from` on is lost, all other time is overhead."""
        end = max(self.newest, now if self.until is None else self.until)
        lost = end - min(end, max(self.newest, lost_from))
        between = max(0.0, self.share.workers * (self.newest - self.since) - self.told)
        return self.share.workers * lost, (
            between + self.share.workers * (end - self.newest - lost)
        )


@dataclass
class Account:
    """The account of one trial: booked and open worker-seconds."""

    booked: Use = field(default_factory=dict)
    due: Use = field(default_factory=dict)
    """Use reported by epochs and not yet booked; negative where training that was already booked
    has been discarded since."""
    stay: Stay | None = None
    shares: dict[int, Share] = field(default_factory=dict)
    """By epoch: the share with which it was trained."""

    def open(self, now: float | None, lost_from: float = ALL_LOST) -> Use:
        """The use that is not booked at time `now`; time since the newest epoch is lost from
        `lost_from` on. Without `now` only what epochs reported."""
        use = dict(self.due)
        if self.stay is not None and now is not None:
            beside = self.stay.beside_epochs(now, lost_from)
            for item, seconds in zip(("lost", "overhead"), beside, strict=True):
                _add(use, item, self.stay.share, seconds)
        return use

    def trend(self) -> "Trend":
        """The open use of all items as a linear function of time, valid from the newest line on."""
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
        """Applies a cost line: moves worker-seconds from due to booked."""
        _add(self.booked, item, share, seconds)
        _add(self.due, item, share, -seconds)

    def tell(self, line: Mapping[str, Any], share: Share) -> None:
        """Applies an epoch line: adds its training and evaluation seconds to what is due."""
        train, evaluation = line["train_seconds"], line["eval_seconds"]
        self.shares[line["epoch"]] = share
        _add(self.due, "training", share, train)
        _add(self.due, "evaluation", share, evaluation)
        if self.stay is not None:
            self.stay.told += train + evaluation
            self.stay.newest = max(self.stay.newest, line.get("time", 0.0))

    def throw_away(self, line: Mapping[str, Any]) -> None:
        """Moves a reported epoch, which is trained again, to the item "lost"."""
        share, train, evaluation = (
            self.shares[line["epoch"]],
            line["train_seconds"],
            line["eval_seconds"],
        )
        _add(self.due, "training", share, -train)
        _add(self.due, "evaluation", share, -evaluation)
        _add(self.due, "lost", share, train + evaluation)

    def enter_lane(self, share: Share, now: float) -> None:
        """A leg begins: from `now` on the trial holds workers. No effect within a leg."""
        if self.stay is None:
            self.stay = Stay(share, now, now)

    def leave_lane(self) -> None:
        """The leg ends: the trial holds no workers, and its use has been booked."""
        self.stay, self.due = None, {}


@dataclass
class Trend:
    """Open use of running trials as a linear function of time, by share. Sums of trends are kept
    up to date, so that evaluating one costs the same for any number of trials."""

    fixed: Held = field(default_factory=dict)
    rate: Held = field(default_factory=dict)
    """Worker-seconds per second since ORIGIN."""

    def change(self, other: "Trend", sign: int) -> None:
        """Adds `other` (sign 1) or subtracts it (sign -1), in place."""
        add(self.fixed, {share: sign * seconds for share, seconds in other.fixed.items()})
        add(self.rate, {share: sign * rate for share, rate in other.rate.items()})

    def held(self, now: float) -> Held:
        """Worker-seconds by share at time `now`."""
        held = dict(self.fixed)
        add(held, {share: rate * (now - ORIGIN) for share, rate in self.rate.items()})
        return held


def _add(use: Use, item: str, share: Share, seconds: float) -> None:
    use[item, share] = use.get((item, share), 0.0) + seconds


def add(held: Held, more: Held) -> None:
    """Adds `more` to `held`, in place."""
    for share, seconds in more.items():
        held[share] = held.get(share, 0.0) + seconds


def by_share(*uses: Use) -> Held:
    """Worker-seconds by share, summed over items."""
    held: Held = {}
    for use in uses:
        for (_, share), seconds in use.items():
            add(held, {share: seconds})
    return held


def by_item(*uses: Use) -> dict[str, Held]:
    """Worker-seconds by item and then by share, in the order of ITEMS."""
    items: dict[str, Held] = {}
    for use in uses:
        for (item, share), seconds in use.items():
            add(items.setdefault(item, {}), {share: seconds})
    order = {item: number for number, item in enumerate(ITEMS)}
    return dict(sorted(items.items(), key=lambda each: order.get(each[0], len(order))))

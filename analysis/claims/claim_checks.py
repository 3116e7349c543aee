"""Checks that decide the transcript's claims, each a closure over the claim's numbers.

A check takes the evidence and gives what was measured and whether the claim holds. It raises
NotTried or Diverged as the evidence does. Accuracies and tolerances are fractions.
"""

import itertools
import re
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from analysis.claims.claim_evidence import Evidence, NotTried
from analysis.run.quantities import count, percent

ABOUT = 0.03
"""What "about" allows: three percentage points either way."""
WINDOW = 20
"""Epochs over which a late accuracy is averaged."""


class Finding(NamedTuple):
    """What was measured, and whether the claim holds."""

    measured: str
    holds: bool


Check = Callable[[Evidence], Finding]


def parameters(name: str, claimed: int) -> Check:
    """The design's parameters are within 5 % of `claimed`."""

    def check(evidence: Evidence) -> Finding:
        found = evidence.trial(name).parameters
        return Finding(count(found, "parameter"), abs(found - claimed) <= 0.05 * claimed)

    return check


def reaches(name: str, column: str, epoch: int, low: float, high: float = 1.0) -> Check:
    """The accuracy in `column` lies in low..high after `epoch`."""

    def check(evidence: Evidence) -> Finding:
        value = evidence.curve(name, epoch)[column].loc[epoch]
        return Finding(f"{percent(value)} after epoch {epoch}", _within(value, low, high))

    return check


def reaches_by_either(name: str, epochs: tuple[int, int], low: float, high: float) -> Check:
    """The validation accuracy lies in low..high after one of two epochs."""

    def check(evidence: Evidence) -> Finding:
        values = evidence.curve(name, max(epochs))["val_accuracy"].loc[list(epochs)]
        text = ", ".join(f"{percent(value)} after epoch {n}" for n, value in values.items())
        return Finding(text, any(_within(value, low, high) for value in values))

    return check


def best_training(name: str, epochs: int, low: float) -> Check:
    """The training accuracy reaches `low` within so many epochs."""

    def check(evidence: Evidence) -> Finding:
        values = evidence.curve(name, epochs)["train_accuracy"].loc[:epochs]
        return Finding(
            f"{percent(values.max())} after epoch {values.idxmax()}", values.max() >= low - 1e-9
        )

    return check


def stays(name: str, start: int, end: int, most: float) -> Check:
    """After epoch `start` validation accuracy gains at most `most` until `end`."""

    def check(evidence: Evidence) -> Finding:
        values = evidence.curve(name, end)["val_accuracy"]
        best = values.loc[start + 1 : end].max()
        return Finding(
            f"{percent(values.loc[start])} after epoch {start}, at best {percent(best)} until "
            f"epoch {end}",
            best - values.loc[start] <= most + 1e-9,
        )

    return check


def differs(name: str, other: str, column: str, epochs: int, low: float, high: float) -> Check:
    """After the last common epoch (`epochs` at least) name minus other lies in low..high."""

    def check(evidence: Evidence) -> Finding:
        one, two, last = _common(evidence, name, other, epochs)
        first, second = one[column].loc[last], two[column].loc[last]
        text = f"{percent(first)} against {percent(second)} of {other} after epoch {last}"
        return Finding(text, _within(first - second, low, high))

    return check


def better(name: str, other: str, epochs: int) -> Check:
    """After the last common epoch (`epochs` at least) name's validation accuracy is the higher."""

    def check(evidence: Evidence) -> Finding:
        one, two, last = _common(evidence, name, other, epochs)
        first, second = one["val_accuracy"].loc[last], two["val_accuracy"].loc[last]
        text = f"{percent(first)} against {percent(second)} of {other} after epoch {last}"
        return Finding(text, bool(first > second))

    return check


def narrower_gap(name: str, other: str, epochs: int) -> Check:
    """After the last common epoch name's training accuracy runs less far ahead than other's."""

    def check(evidence: Evidence) -> Finding:
        one, two, last = _common(evidence, name, other, epochs)
        first, second = _gap(one).loc[last], _gap(two).loc[last]
        return Finding(
            f"{_signed(first)} against {_signed(second)} of {other} after epoch {last}",
            bool(first < second),
        )

    return check


def small_gap(name: str, epoch: int) -> Check:
    """Over the epochs before `epoch` training and validation accuracy are about the same."""

    def check(evidence: Evidence) -> Finding:
        gap = _gap(evidence.curve(name, epoch)).loc[epoch - WINDOW + 1 : epoch].mean()
        text = f"{_signed(gap)} on average of epochs {epoch - WINDOW + 1} to {epoch}"
        return Finding(text, abs(gap) <= ABOUT + 1e-9)

    return check


def flattens(name: str, most: float, least_before: float) -> Check:
    """Epochs 281 to 300 add at most `most`, and the hundred before them `least_before`."""

    def check(evidence: Evidence) -> Finding:
        values = evidence.curve(name, 300)["val_accuracy"]
        early, before, end = (_late(values, epoch) for epoch in (180, 280, 300))
        text = (
            f"{_signed(end - before)} from epochs 261-280 to 281-300, "
            f"{_signed(before - early)} from 161-180 to 261-280"
        )
        return Finding(text, end - before <= most + 1e-9 and before - early >= least_before - 1e-9)

    return check


def further_epochs(name: str, start: int, ends: tuple[int, int], low: float, high: float) -> Check:
    """Going on from epoch `start` to one of `ends` adds low..high."""

    def check(evidence: Evidence) -> Finding:
        values = evidence.curve(name, min(ends))["val_accuracy"]
        reached = [end for end in ends if end <= len(values)]
        gains = {end: _late(values, end) - _late(values, start) for end in reached}
        text = ", ".join(f"{_signed(gain)} by epoch {end}" for end, gain in gains.items())
        holds = any(_within(gain, low, high) for gain in gains.values())
        if not holds:
            evidence.curve(name, max(ends))  # what is not there yet may bear it out
        return Finding(text, holds)

    return check


def takes_hours(name: str, epochs: int, hours: float, gigabytes: int) -> Check:
    """Training so many epochs takes about `hours`, within a tenth, on one GPU of that memory."""

    def check(evidence: Evidence) -> Finding:
        evidence.curve(name, epochs)
        trial = evidence.trial(name)
        taken = trial.train_seconds(epochs) / 3600
        devices = [line.get("device", "") for line in trial.epochs if line["epoch"] <= epochs]
        known = " and ".join(dict.fromkeys(device or "an unknown device" for device in devices))
        alone = (trial.workers, trial.gpus_per_worker) == (1, 1)
        share = "" if alone else f"{trial.workers} x {trial.gpus_per_worker:g} "
        text = f"{taken:.1f} h of training on {share if trial.gpus_per_worker else ''}{known}"
        if not (alone and all(_has_memory(device, gigabytes) for device in devices)):
            raise NotTried(f"{text}, not on one GPU of {gigabytes} GB")
        return Finding(text, abs(taken - hours) <= 0.1 * hours + 1e-9)

    return check


def _has_memory(device: str, gigabytes: int) -> bool:
    """Whether a GPU's name says that it has so much memory: "NVIDIA A100-SXM4-40GB". A part of it,
    a MIG device, has less."""
    words = re.findall(r"[A-Z]+|\d+", device.upper())
    return (str(gigabytes), "GB") in itertools.pairwise(words) and "MIG" not in words


def convolutions_win(epochs: int) -> Check:
    """The best validation accuracy of a network with convolutions beats that of any without."""

    def check(evidence: Evidence) -> Finding:
        best: dict[bool, tuple[float, str]] = {}
        why = f"needs one of each kind, trained for {epochs} epochs"
        for name, trial in evidence.trials.items():
            try:
                sound = evidence.curve(name, 0)
            except NotTried as reason:
                why = str(reason)
                continue
            if trial.best is None or len(sound) < epochs:
                continue
            value = float(trial.best["val_accuracy"])
            kind = bool(trial.design.kernels)
            best[kind] = max(best.get(kind, (0.0, "")), (value, name))
        if len(best) < 2:
            raise NotTried(why)
        text = " against ".join(f"{percent(best[k][0])} of {best[k][1]}" for k in (True, False))
        return Finding(text, best[True][0] > best[False][0])

    return check


def only_pair_over(name: str, one: str, two: str, mistakes: int) -> Check:
    """No cell of the confusion matrix but those of one and two exceeds `mistakes`."""

    def check(evidence: Evidence) -> Finding:
        counts = evidence.confusion(name, 300)
        over = {tuple(sorted(cell)) for cell, number in counts.items() if number > mistakes}
        pairs = "; ".join(" and ".join(pair) for pair in sorted(over)) or "none"
        return Finding(f"over {mistakes}: {pairs}", over == {tuple(sorted((one, two)))})

    return check


def among_most_confused(name: str, one: str, two: str, most: int) -> Check:
    """One and two are among the `most` most confused pairs."""

    def check(evidence: Evidence) -> Finding:
        counts = evidence.confusion(name, 300)
        both = {cell: counts[cell] + counts[cell[::-1]] for cell in counts if cell[0] < cell[1]}
        here = both[one, two]
        rank = 1 + sum(number > here for number in both.values())
        return Finding(f"{here} mistakes, number {rank} of the pairs", rank <= most)

    return check


def _common(
    evidence: Evidence, name: str, other: str, epochs: int
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    one = evidence.curve(name, epochs)
    try:
        two = evidence.curve(other, epochs)
    except NotTried as reason:
        raise NotTried(f"{other}: {reason}") from reason
    return one, two, min(len(one), len(two))


def _gap(curve: pd.DataFrame) -> pd.Series:
    return curve["train_accuracy"] - curve["val_accuracy"]


def _late(values: pd.Series, epoch: int) -> float:
    return float(values.loc[epoch - WINDOW + 1 : epoch].mean())


def _within(value: float, low: float, high: float) -> bool:
    return bool(low - 1e-9 <= value <= high + 1e-9)


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.1f} points"

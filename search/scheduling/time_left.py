"""Works out the time that a budget leaves for each lane, from what the run has used of it."""

import math

from search.record.recorder import Recorder
from search.terms.budget import Budget
from search.terms.time_left import TimeLeft

DIGITS = 3
"""Milliseconds: the ledger has the number that the strategy is told, and no other."""


def time_left(recorder: Recorder, budget: Budget, lanes: int) -> TimeLeft | None:
    """The time that `budget` leaves for each of `lanes` lanes; None where it does not limit time.

    A limit on GPU-hours or money is what all lanes together may use, and lasts as long as all of
    them train.
    """
    plan, lanes = recorder.plan, max(lanes, 1)
    limits: list[tuple[float, float]] = []
    if budget.seconds < math.inf:
        workers = plan.workers_per_trial
        left = budget.seconds - recorder.seconds()
        limits.append((left * workers, budget.seconds * workers))
    if budget.limits_use:
        used, hour = recorder.used(), 3600 / lanes
        price = recorder.price or 0.0
        a_hour = plan.gpus_per_worker or float(plan.cpus_per_worker)
        for most, spent, rate in (
            (budget.gpu_hours, used.gpu_hours or 0.0, plan.gpus_per_worker),
            (budget.money, used.cost or 0.0, price * a_hour),
        ):
            if most < math.inf and rate:
                limits.append(((most - spent) / rate * hour, most / rate * hour))
    if not limits:
        return None
    left, total = min(limits)
    return TimeLeft(round(max(left, 0.0), DIGITS), round(total, DIGITS), lanes)

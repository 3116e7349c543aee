"""Whatever happens to a search, its accounts sum to what its lanes were held."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.cli.options import SearchOptions
from search.record.recorder import Recorder
from search.session import resuming
from search.terms.accounts import Share
from search.terms.budget import parse
from search.terms.price import bill_of
from tests.search.sessions import QUARTER, WHOLE, Bench


class Model:
    """What is right, kept as lanes are entered and left."""

    def __init__(self) -> None:
        self.held: Counter[Share] = Counter()
        self.items: Counter[str] = Counter()
        self.lanes: dict[int, float] = {}
        """Trials in lanes, and since when they hold them, or told an epoch."""
        self.waiting: set[int] = set()
        self.paused: set[int] = set()
        self.told: dict[tuple[int, int], float] = {}

    def hold(self, share: Share, number: int, now: float, item: str) -> None:
        seconds = (now - self.lanes[number]) * share.workers
        self.held[share] += seconds
        self.items[item] += seconds
        self.lanes[number] = now


class Story:
    """Random sessions of a run, and what their accounts must be."""

    def __init__(self, run: Path, share: Share, seed: int) -> None:
        self.bench, self.model, self.share = Bench(run, share), Model(), share
        self.random = random.Random(seed)

    def step(self, action: str, seconds: int, share: Share) -> None:
        self.bench.now += seconds
        model, recorder = self.model, self.bench.recorder
        crowd = {"enter": model.waiting, "resume": model.paused, "start": {0}, "crash": {0}}
        crowd |= {"stop": {0}}
        among = sorted(crowd.get(action, model.lanes))
        if among:
            number = self.random.choice(among)
            getattr(self, action)(number, recorder, share)
        self.check()

    def start(self, number: int, recorder: Recorder, share: Share) -> None:
        self.model.lanes[self.bench.start()] = self.bench.now

    def resume(self, number: int, recorder: Recorder, share: Share) -> None:
        self.model.paused.remove(number)
        recorder.resume(number, 99)
        self.model.lanes[number] = self.bench.now

    def enter(self, number: int, recorder: Recorder, share: Share) -> None:
        self.model.waiting.remove(number)
        recorder.enter_lane(number)
        self.model.lanes[number] = self.bench.now

    def epoch(self, number: int, recorder: Recorder, share: Share, again: bool = False) -> None:
        model, last = self.model, recorder.state.trials[number].last_epoch
        told = max(1, last) if again else last + 1
        took = (self.bench.now - model.lanes[number]) * self.share.workers
        train, evaluation = took // 2, took // 4
        self.bench.told(number, train, evaluation, told)
        model.hold(self.share, number, self.bench.now, "overhead")
        model.items.subtract({"overhead": train + evaluation, "lost": 0})
        model.items.update({"training": train, "evaluation": evaluation})
        if (number, told) in model.told:
            before = model.told[number, told]
            model.items.subtract({"training": before[0], "evaluation": before[1]})
            model.items["lost"] += sum(before)
        model.told[number, told] = (train, evaluation)

    def again(self, number: int, recorder: Recorder, share: Share) -> None:
        self.epoch(number, recorder, share, again=True)

    def restart(self, number: int, recorder: Recorder, share: Share) -> None:
        recorder.restart(number, "lost", 0)
        self.leave(number, "lost")
        self.model.waiting.add(number)

    def wait(self, number: int, recorder: Recorder, share: Share) -> None:
        recorder.leave_lane(number)
        self.leave(number, "overhead")
        self.model.waiting.add(number)

    def pause(self, number: int, recorder: Recorder, share: Share) -> None:
        recorder.pause(number)
        self.leave(number, "lost")
        self.model.paused.add(number)

    def end(self, number: int, recorder: Recorder, share: Share) -> None:
        recorder.end(number, reason="scheduler")
        self.leave(number, "overhead")

    def leave(self, number: int, item: str, until: float | None = None) -> None:
        now = self.bench.now if until is None else until
        self.model.hold(self.share, number, max(now, self.model.lanes[number]), item)
        del self.model.lanes[number]

    def crash(self, number: int, recorder: Recorder, share: Share) -> None:
        newest = self.bench.read().last_time
        for each in list(self.model.lanes):
            self.leave(each, "lost", newest)
            self.model.waiting.add(each)
        self.bench.now += 1000
        self.share = share
        self.bench.open(share)

    def stop(self, number: int, recorder: Recorder, share: Share) -> None:
        for each in list(self.model.lanes):
            self.pause(each, recorder, share)
        for each in recorder.running():
            recorder.pause(each, "interrupted")
            self.model.waiting.remove(each)
            self.model.paused.add(each)
        recorder.close("interrupted", "interrupted")
        self.bench.now += 1000
        self.share = share
        self.bench.open(share)

    def check(self) -> None:
        """Live, folded and right are the same."""
        now, model, held = self.bench.now, self.model, Counter[Share](self.model.held)
        for since in model.lanes.values():
            held[self.share] += (now - since) * self.share.workers
        for state in (self.bench.recorder.state, self.bench.read()):
            assert plain(state.held(now)) == pytest.approx(plain(held), abs=1e-3)
        self.bench.gpu_hours()

    def check_end(self) -> None:
        """No trial runs any more: each item is right, and more is what is asked for."""
        self.stop(0, self.bench.recorder, self.share)
        found = self.bench.read()
        items = Counter[str]()
        for each in found.trials.values():
            items.update(each.costs)
        assert plain(items) == pytest.approx(plain(self.model.items), abs=1e-3)
        given = SearchOptions(budget=("2.5gpuh", "$7", "20min", "3trials"), price=2.0)
        options = resuming._extended(given, given, found)
        assert isinstance(options, SearchOptions)
        used, more = bill_of(found.held(), 2.0), parse(options.budget)
        assert more.gpu_hours - (used.gpu_hours or 0) == pytest.approx(2.5, abs=1e-6)
        assert more.money - (used.cost or 0) == pytest.approx(7, abs=1e-6)
        assert more.seconds - found.wall_seconds == pytest.approx(1200, abs=1e-3)
        assert more.trials == len(found.trials) + 3


def plain(counts: Any) -> dict[Any, float]:
    return {key: float(value) for key, value in counts.items() if abs(value) > 1e-6}


ACTIONS = ("start", "epoch", "epoch", "again", "restart", "wait", "enter", "pause", "resume")
SHARES = st.sampled_from([QUARTER, WHOLE, Share(2, 3, 1.0)])
STEPS = st.tuples(st.sampled_from([*ACTIONS, "end", "crash", "stop"]), st.integers(0, 1000), SHARES)


@settings(deadline=None, max_examples=40)
@given(share=SHARES, steps=st.lists(STEPS, min_size=5, max_size=25), seed=st.integers(0, 99))
def test_accounts_sum_to_what_was_held_whatever_happens(
    tmp_path_factory, share: Share, steps: list[tuple[str, int, Share]], seed: int
) -> None:
    story = Story(tmp_path_factory.mktemp("story"), share, seed)
    for action, seconds, next_share in (("start", 0, share), ("start", 0, share), *steps):
        story.step(action, seconds, next_share)
    story.check_end()

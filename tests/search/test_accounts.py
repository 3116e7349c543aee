"""What a search has used: whatever happens to it, the accounts sum to what its lanes were held."""

import csv
import dataclasses
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import Design
from models.training import EpochResult
from search import ledger, resuming
from search.accounts import ITEMS, Share
from search.budget import Budget, parse
from search.options import SearchOptions
from search.plan import Plan
from search.price import bill_of
from search.recorder import Recorder
from search.scalars import Scalars
from search.state import SearchState, fold
from tests.search.hand_made import end, epoch, trial

QUARTER, WHOLE = Share(1, 1, 0.25), Share(1, 1, 1.0)
HOUR = 3600.0
DESIGN = Design(kernels=(), dense=(1,), epochs=99)


class Bench:
    """A run of many sessions, with a clock that goes on when it is told to."""

    def __init__(self, run: Path, share: Share = WHOLE) -> None:
        self.run, self.now = run, 1e9
        self.open(share)

    def open(self, share: Share) -> None:
        """A session begins; the one before was closed, or killed."""
        plan = Plan(4, share.workers, int(share.cpus_per_worker), share.gpus_per_worker)
        known = self.read() if (self.run / "ledger").exists() else None
        self.recorder = Recorder(
            self.run,
            plan,
            2.0,
            (1, 8, 8),
            10,
            Scalars(self.run),
            known=known,
            clock=lambda: self.now,
        )
        for number in self.recorder.running():
            self.recorder.go_on(number)

    def start(self, to_epoch: int = 99) -> int:
        return self.recorder.start(DESIGN, 0, to_epoch=to_epoch)

    def told(self, number: int, seconds: float, evaluation: float = 0.0, epoch: int = 0) -> None:
        """An epoch's seconds of all workers."""
        told = epoch or self.recorder.state.trials[number].last_epoch + 1
        self.recorder.epoch(number, result(told, 1.0, seconds, evaluation), "group")

    def read(self) -> SearchState:
        return fold(ledger.read(self.run / "ledger"))

    def gpu_hours(self) -> float:
        """What the live search has used; the ledger says the same."""
        live = bill_of(self.recorder.state.held(self.now), 2.0)
        assert live == bill_of(self.read().held(self.now), 2.0)
        assert live.gpu_hours is not None
        for more in (-1e-6, 1e-6):
            over = self.recorder.spent(Budget(gpu_hours=live.gpu_hours + more))
            assert over == ("GPU-hours" if more < 0 else "")
        return live.gpu_hours


def result(epoch: int, loss: float, seconds: float, evaluation: float = 0.0) -> dict[str, Any]:
    """What a lane answers."""
    told = EpochResult(epoch, loss, 0.5, loss, 0.5, seconds, evaluation, 10.0, 1)
    return dataclasses.asdict(told) | {"precision": "", "device": "cpu"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_hour_and_after_a_crash_half_an_hour_are_one_and_a_half(bench: Bench) -> None:
    number = bench.start()
    bench.now += HOUR
    bench.told(number, HOUR)
    assert bench.gpu_hours() == pytest.approx(1.0)
    bench.open(WHOLE)  # killed
    assert bench.gpu_hours() == pytest.approx(1.0)
    bench.now += HOUR  # it waits for a lane
    assert bench.gpu_hours() == pytest.approx(1.0)
    bench.recorder.enter_lane(number)
    bench.now += HOUR / 2
    bench.told(number, HOUR / 2)
    assert bench.gpu_hours() == pytest.approx(1.5)
    bench.recorder.end(number, reason="scheduler")
    assert bench.gpu_hours() == pytest.approx(1.5)
    assert bench.read().trials[number].costs["training"] == 1.5 * HOUR


def test_each_session_is_billed_with_its_own_share(tmp_path: Path) -> None:
    bench = Bench(tmp_path, QUARTER)
    number = bench.start()
    bench.now += 4 * HOUR
    bench.told(number, 4 * HOUR)
    bench.recorder.pause(number, "interrupted")
    bench.recorder.close("interrupted", "")
    bench.open(WHOLE)
    bench.recorder.go_on(number)
    bench.recorder.enter_lane(number)
    bench.now += HOUR
    bench.told(number, HOUR)
    assert bench.gpu_hours() == pytest.approx(2.0)
    bench.recorder.end(number, reason="scheduler")
    bench.recorder.close("end", "")
    assert bench.gpu_hours() == pytest.approx(2.0)
    (row,) = table(tmp_path, "trials.csv")
    assert (float(row["gpu_hours"]), float(row["cost"])) == (2.0, 4.0)
    assert (row["gpus_per_worker"], float(row["held_seconds"])) == ("1.0", 5 * HOUR)
    costs = {row["item"]: float(row["gpu_hours"]) for row in table(tmp_path, "costs.csv")}
    assert costs == {"training": 2.0, "evaluation": 0.0, "lost": 0.0, "overhead": 0.0}


def account(state: SearchState, number: int) -> list[float]:
    """Seconds of training, evaluation, lost and overhead."""
    use = state.trials[number].use(state.last_time)
    return [sum(use.get(item, {}).values()) for item in ITEMS]


def table(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open() as file:
        return list(csv.DictReader(file))


def test_what_a_crash_or_an_interrupt_cuts_is_lost(bench: Bench) -> None:
    crashed, cut, new = bench.start(), bench.start(), bench.start()
    bench.now += 100
    bench.told(crashed, 80, 10)
    bench.told(cut, 90, 10)
    bench.now += 600
    bench.told(cut, 500, 50)  # the newest line: what comes after it nobody can know
    bench.now += 50
    killed = bench.read()
    bench.open(WHOLE)
    for state in (killed, bench.read(), bench.recorder.state):
        assert account(state, crashed) == [80, 10, 600, 10]
        assert account(state, cut) == [590, 60, 0, 50]
        assert account(state, new) == [0, 0, 700, 0]
    bench.recorder.enter_lane(cut)
    bench.now += 300
    bench.recorder.pause(cut, "interrupted")
    assert account(bench.read(), cut) == [590, 60, 300, 50]
    assert bench.gpu_hours() == pytest.approx(2400 / HOUR)


def test_what_a_lost_lane_cuts_is_lost_and_waiting_is_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Share(2, 1, 0.5))
    number = bench.start()
    bench.now += 30
    bench.recorder.workers_to_come(number)
    bench.now += 20
    bench.recorder.restart(number, "a worker is gone", 0)
    bench.now += 500
    bench.recorder.enter_lane(number)
    bench.now += 5
    bench.recorder.leave_lane(number)  # its workers have not come
    bench.now += 500
    bench.recorder.enter_lane(number)
    bench.now += 60
    bench.told(number, 100, 10)
    bench.recorder.pause(number, "interrupted")
    assert account(bench.read(), number) == [100, 10, 2 * 20, 2 * 30 + 2 * 5 + 10]


def test_what_fails_is_lost_but_not_the_epoch_that_shows_a_divergence(bench: Bench) -> None:
    diverged, failed, done = bench.start(), bench.start(), bench.start(to_epoch=1)
    bench.now += 10
    bench.recorder.epoch(diverged, result(1, float("nan"), 8), "group")
    for number in (failed, done):
        bench.told(number, 9)
    bench.now += 5
    for number in (diverged, failed):
        bench.recorder.end(number, "failed", "why")
    bench.recorder.pause(done)
    assert account(bench.read(), diverged) == [8, 0, 0, 7]
    assert account(bench.read(), failed) == [9, 0, 5, 1]
    assert account(bench.read(), done) == [9, 0, 0, 6]


def test_an_epoch_trained_again_makes_the_first_a_loss(bench: Bench) -> None:
    number = bench.start()
    for seconds in (10, 20, 30):
        bench.now += seconds
        bench.told(number, seconds - 1, 1)
    bench.recorder.restart(number, "the newest checkpoint cannot be read", 1)
    assert account(bench.read(), number) == [57, 3, 0, 0]
    bench.recorder.enter_lane(number)
    bench.now += 25
    bench.told(number, 24, 1, epoch=2)
    assert account(bench.read(), number) == [33, 2, 50, 0]
    bench.recorder.end(number, reason="scheduler")
    assert account(bench.read(), number) == [33, 2, 50, 0]
    assert bench.read().trials[number].train_seconds() == 33


def test_torn_lines_of_a_crash_are_made_whole(bench: Bench) -> None:
    """Killed again while the costs of what was cut are written."""
    number = bench.start()
    bench.now += 100
    bench.told(number, 80, 10)
    bench.now += 50
    other = bench.start()
    for written in (3, 4, 6):  # of a start and eight costs
        bench.open(WHOLE)
        segment = max((bench.run / "ledger").glob("*.jsonl"))
        segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:written]))
    bench.open(WHOLE)
    assert account(bench.read(), number) == [80, 10, 50, 10]
    assert account(bench.read(), other) == [0, 0, 0, 0]


def test_an_old_ledger_folds_as_it_did() -> None:
    """It says neither when lanes were held nor with which share: what it booked is what counts, and
    of what it did not book the epochs."""
    start = {"kind": "run", "event": "start", "time": 0.0}
    lines = [
        start,
        trial(0, gpus_per_worker=0.5) | {"time": 1.0},
        epoch(0, 1, 0.5, seconds=70.0) | {"time": 100.0},
        epoch(0, 1, 0.5, seconds=80.0) | {"time": 200.0},
        start | {"time": 1000.0},  # after a crash
        {"kind": "trial", "trial": 0, "state": "running", "time": 1001.0},
        epoch(0, 2, 0.6, seconds=20.0) | {"time": 1100.0},
    ]
    assert fold(lines[:3]).held() == {Share(1, 1, 0.5): 71.0}
    assert fold(lines).held() == {Share(1, 1, 0.5): 80.0 + 1.0 + 20.0 + 1.0 + 71.0}
    for item, seconds in (("training", 100.0), ("evaluation", 2.0), ("overhead", 30.0)):
        lines.append({"kind": "cost", "trial": 0, "item": item, "seconds": seconds, "time": 1100.0})
    lines.append(end(0) | {"time": 1100.0})
    found = fold(lines)
    assert found.trials[0].costs == {"training": 100.0, "evaluation": 2.0, "overhead": 30.0}
    assert found.held() == {Share(1, 1, 0.5): 132.0}
    assert found.wall_seconds == 200.0 + 100.0


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

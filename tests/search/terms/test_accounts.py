"""What a search has used: each session with its own share, a crash once, what was lost apart."""

import csv
from pathlib import Path

import pytest

from search.record import ledger
from search.record.state import SearchState, fold
from search.terms.accounts import ITEMS, Share
from search.terms.budget import Budget
from tests.search.hand_made import end, epoch, trial
from tests.search.sessions import QUARTER, WHOLE, Bench, result
from tests.search.talk import Talk, report

HOUR = 3600.0


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


def test_a_lane_s_answers_tell_what_its_cut_loses(tmp_path: Path) -> None:
    now = [1e9]
    talk = Talk(tmp_path, Budget(trials=2), clock=lambda: now[0])
    training, starting = talk.begin(2)
    for passes, number, answer in (
        (5, training, {"waiting": True}),
        (5, starting, {"waiting": True}),
        (20, training, report(1)),
        (70, starting, {"waiting": True}),
    ):
        now[0] += passes
        assert talk.scheduler.heard(number, answer, "group")
    now[0] += 2
    talk.interrupted = True
    assert talk.scheduler.ending.is_due()
    talk.scheduler.end_all()
    found = fold(ledger.read(tmp_path / "ledger"))
    assert account(found, training) == pytest.approx([1.0, 0.1, 72, 30 - 1.1])
    assert account(found, starting) == [0, 0, 2, 100]


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

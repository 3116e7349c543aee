"""Which legs are given and what becomes of them, without Ray's cluster."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from models.design import from_dict
from models.transcript import TRANSCRIPT
from search.record import ledger, state
from search.scheduling.fault_counts import MOST_OF_A_LANE, MOST_OF_A_TRIAL
from search.scheduling.leg_scheduler import EARLY
from search.scheduling.search_end import MOST_FAILURES
from search.terms.budget import Budget
from tests.search.talk import DESIGNS, Talk


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path, Budget(trials=3))


def test_legs_carry_what_a_worker_needs_until_the_budget(talk: Talk) -> None:
    legs = [talk.scheduler.next_leg() for _ in range(4)]
    assert [leg and leg.trial for leg in legs] == [0, 1, 2, None]
    assert [from_dict(leg.design) for leg in legs[:3]] == [d for _, d in DESIGNS[:3]]
    assert {(leg.seed, leg.from_epoch) for leg in legs[:3]} == {(7, 0)}
    for number in range(3):
        assert not talk.scheduler.finished
        talk.heard(number, 1)
        talk.heard(number, 2)
    assert talk.scheduler.finished
    assert talk.scheduler.ending.why == "3 trials are done"


def test_the_same_design_again_has_a_further_seed(tmp_path: Path) -> None:
    twice = [("a", DESIGNS[0][1]), ("b", DESIGNS[0][1])]
    talk = Talk(tmp_path, Budget(), designs=twice)
    assert [talk.scheduler.next_leg().seed for _ in range(2)] == [7, 8]


def test_refused_designs_are_written_down_and_not_trained(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget(), lambda d: "" if d.dense[0] == 4 else "wrong width")
    assert from_dict(talk.scheduler.next_leg().design).dense == (4,)
    assert [line["reason"] for line in talk.recorder.state.refused] == ["wrong width"] * 3
    assert talk.scheduler.next_leg() is None


def test_a_trial_ends_once_and_by_how_far_it_came(talk: Talk) -> None:
    talk.begin(3)
    assert [talk.heard(number, 1) for number in (0, 1)] == [True, True]
    talk.early.add(2)
    assert not talk.heard(2, 1)
    assert not talk.heard(0, 2)
    assert not talk.heard(0, 3)
    talk.scheduler.lost(0, "too late", started=True)
    talk.scheduler.ending.why = "why"
    talk.scheduler.end_all()
    assert [talk.state(n) for n in range(3)] == [
        ("finished", ""),
        ("paused", "why"),
        ("stopped", EARLY),
    ]
    assert talk.said == [2, 0, 1]


def test_divergence_is_a_failure_with_its_reason(talk: Talk) -> None:
    talk.begin()
    assert not talk.heard(0, 1, loss=float("inf"))
    assert talk.state(0) == ("failed", "diverged")


def test_a_failure_of_the_training_is_the_trial_s_result(talk: Talk) -> None:
    talk.begin()
    assert not talk.scheduler.heard(0, failure("out_of_memory", "design"), "group")
    assert talk.state(0) == ("failed", "out_of_memory")
    assert talk.blamed() == [0]


def test_a_lost_lane_s_trial_goes_on_before_anything_new(talk: Talk) -> None:
    talk.begin(2)
    talk.heard(0, 1)
    talk.scheduler.lost(0, "worker 0 is gone", started=True)
    assert not talk.heard(0, 2)
    leg = talk.scheduler.next_leg()
    assert (leg.trial, leg.from_epoch, leg.seed) == (0, 1, 7)
    assert from_dict(leg.design) == DESIGNS[0][1]
    assert not talk.heard(0, 2)
    known = talk.recorder.state.trials[0]
    assert (known.state, known.restarts) == ("finished", 1)
    assert [line["epoch"] for line in known.epochs] == [1, 2]
    (line,) = [
        line
        for line in ledger.read(talk.recorder.run / "ledger")
        if line.get("action") == "restart"
    ]
    assert (line["trial"], line["from_epoch"], line["reason"]) == (0, 1, "worker 0 is gone")


def test_a_search_is_not_finished_while_a_trial_waits_for_a_lane(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget(trials=1))
    talk.begin()
    assert talk.scheduler.next_leg() is None
    talk.scheduler.lost(0, "gone", started=True)
    assert not talk.scheduler.finished
    assert talk.begin() == [0]


def test_a_trial_that_kills_its_lanes_is_set_aside(talk: Talk) -> None:
    """And nothing is learned of its design: another session may have better luck."""
    for _ in range(MOST_OF_A_TRIAL - 1):
        assert talk.begin() == [0]
        talk.scheduler.lost(0, "killed", started=True)
    assert talk.begin() == [0]
    talk.heard(0, 1)  # an epoch between: the count begins anew
    for _ in range(MOST_OF_A_TRIAL):
        talk.scheduler.lost(0, "killed", started=True)
        if talk.state(0)[0] == "running":
            assert talk.begin() == [0]
    why = f"set aside after {MOST_OF_A_TRIAL} faults in a row, the last: killed"
    assert talk.state(0) == ("paused", why)
    assert talk.begin() == [1]
    assert talk.blamed() == []


def failure(reason: str, kind: str) -> dict:
    return {"failure": reason, "kind": kind, "place": "10.0.0.7, cuda:1"}


def fail(talk: Talk, number: int, lane: str, kind: str = "machine") -> bool:
    return talk.scheduler.heard(number, failure("CUDA error", kind), "group", lane)


def test_a_machine_s_fault_sends_the_trial_to_another_lane(talk: Talk) -> None:
    talk.lanes = 2
    talk.begin(2)
    talk.heard(0, 1)
    assert not fail(talk, 0, "bad")
    assert talk.state(0) == ("running", "") and talk.recorder.state.trials[0].restarts == 1
    # The lane that failed takes something new, and the other one the trial.
    assert talk.scheduler.leg_for_free_lane("bad").trial == 2
    talk.heard(1, 1)
    talk.heard(1, 2)
    leg = talk.scheduler.leg_for_free_lane("good")
    assert (leg.trial, leg.from_epoch) == (0, 1)
    assert talk.blamed() == []


def test_a_lane_that_fails_again_and_again_is_closed(talk: Talk) -> None:
    talk.lanes = 2
    talk.begin(2)
    assert not fail(talk, 0, "bad")
    for number in (2, 0)[: MOST_OF_A_LANE - 1]:
        leg = talk.scheduler.leg_for_free_lane("bad")
        if leg is None:  # there is nothing else left
            leg = talk.scheduler.next_leg()
        assert leg.trial == number
        assert not talk.scheduler.closed
        fail(talk, number, "bad")
    assert "bad" in talk.scheduler.closed and len(talk.scheduler.closed) == 1
    assert not talk.scheduler.ending.is_due()
    (line,) = talk.warned
    assert "10.0.0.7, cuda:1" in line and "closed" in line and "CUDA error" in line
    assert talk.scheduler.next_leg() is None  # the other lane is all there is
    for epoch in (1, 2):
        talk.heard(1, epoch)
    for number in (2, 0):
        assert talk.scheduler.leg_for_free_lane("good").trial == number
        talk.heard(number, 1)
        talk.heard(number, 2)
    assert talk.scheduler.finished
    assert [talk.state(number)[0] for number in range(3)] == ["finished"] * 3
    assert talk.blamed() == []


def test_one_bad_trial_closes_no_lane(talk: Talk) -> None:
    talk.lanes = 1
    for _ in range(MOST_OF_A_TRIAL):
        assert talk.begin() == [0]
        fail(talk, 0, "only")
    assert talk.state(0)[0] == "paused"
    assert not talk.scheduler.closed
    assert talk.begin() == [1]
    assert talk.heard(1, 1)


def test_when_the_only_lane_fails_the_search_stops_for_a_fault(talk: Talk) -> None:
    talk.lanes = 1
    for number in [0] * MOST_OF_A_TRIAL + [1]:
        assert talk.begin() == [number]
        assert talk.scheduler.ending.fault == ""
        fail(talk, number, "only")
    assert talk.scheduler.ending.is_due()
    assert talk.scheduler.ending.fault == "no lane works any more, the last: CUDA error"
    talk.scheduler.end_all()
    assert [talk.state(number)[0] for number in (0, 1)] == ["paused", "paused"]
    assert talk.blamed() == []


def test_when_every_lane_is_lost_again_and_again_the_search_stops(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    talk.lanes = 2
    lost = 0
    while not talk.scheduler.ending.is_due():
        talk.scheduler.lost(talk.begin()[0], "died", started=True)
        lost += 1
    assert lost == 8 and "8 faults in a row, the last: died" in talk.scheduler.ending.fault


def close_a_lane(talk: Talk) -> None:
    """Of two lanes, by trials 0 and 2; trial 1 trains in the other one."""
    talk.lanes = 2
    talk.begin(2)
    for number in (0, 2, 0):
        fail(talk, number, "bad")
        if talk.scheduler.closed:
            return
        leg = talk.scheduler.leg_for_free_lane("bad") or talk.scheduler.next_leg()
        assert leg.trial != 1


def test_a_closed_lane_whose_node_has_left_leaves_room(talk: Talk) -> None:
    close_a_lane(talk)
    talk.lanes, talk.left = 1, {"10.0.0.7, cuda:1"}
    for epoch in (1, 2):
        talk.heard(1, epoch)
    assert talk.scheduler.leg_for_free_lane("good") is not None
    assert not talk.scheduler.closed and not talk.scheduler.ending.is_due()


def test_where_only_a_closed_lane_is_left_the_search_stops(talk: Talk) -> None:
    """It would wait for ever."""
    close_a_lane(talk)
    talk.lanes = 1
    talk.scheduler.lost(1, "its node is gone", started=True)
    assert talk.scheduler.next_leg() is None
    assert talk.scheduler.ending.is_due()
    assert "no lane works any more" in talk.scheduler.ending.fault


def test_a_lane_that_never_starts_beside_one_that_works_is_closed(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget(trials=2), designs=[(n, replace(d, epochs=9)) for n, d in DESIGNS])
    talk.lanes = 2
    talk.begin(2)
    for epoch in range(1, MOST_FAILURES + 1):
        assert talk.heard(1, epoch)
        talk.scheduler.lost(0, "no CUDA device", started=False)
        if epoch < MOST_FAILURES:
            assert talk.begin() == [0] and not talk.warned
    assert not talk.scheduler.ending.is_due()
    (line,) = talk.warned
    assert line == "A lane never starts: no CUDA device"
    assert talk.scheduler.next_leg() is None  # until the other one is free
    assert talk.blamed() == []


def test_a_full_disk_stops_the_search_at_once(talk: Talk) -> None:
    talk.begin(2)
    talk.heard(0, 1)
    assert not fail(talk, 1, "lane", "run")
    assert talk.scheduler.ending.is_due()
    assert talk.scheduler.ending.fault == "CUDA error"
    talk.scheduler.end_all()
    assert [talk.state(number) for number in (0, 1)] == [("paused", "CUDA error")] * 2
    assert talk.blamed() == []


def test_storage_that_one_node_cannot_reach_is_that_node_s_fault(talk: Talk) -> None:
    talk.begin()
    fail(talk, 0, "lane", "storage")
    assert not talk.scheduler.ending.is_due() and talk.state(0)[0] == "running"
    talk.storage_fault = "the storage is away"
    assert talk.begin() == [0]
    fail(talk, 0, "lane", "storage")
    assert talk.scheduler.ending.fault == "the storage is away"


def test_a_trial_whose_checkpoint_is_gone_begins_anew(talk: Talk) -> None:
    talk.begin()
    talk.heard(0, 1)
    assert not fail(talk, 0, "lane", "checkpoint")
    leg = talk.scheduler.leg_for_free_lane("lane")
    assert (leg.trial, leg.from_epoch) == (0, 0)
    assert talk.heard(0, 1) and not talk.heard(0, 2)
    assert talk.state(0) == ("finished", "")
    assert [line["epoch"] for line in talk.recorder.state.trials[0].epochs] == [1, 2]


def test_a_ledger_that_cannot_be_written_stops_the_search(talk: Talk, monkeypatch) -> None:
    """At any moment: what is decided, heard, and what ends it all."""
    talk.begin(2)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with talk.scheduler.ending.recording():
        talk.heard(0, 1)
    assert "No space left on device" in talk.scheduler.ending.fault
    assert talk.scheduler.ending.is_due()
    monkeypatch.undo()  # there is room again, but a line may be missing
    talk.scheduler.end_all()
    with talk.scheduler.ending.recording():
        talk.begin()
    found = state.load(talk.recorder.run)
    assert {trial.state for trial in found.trials.values()} == {"running"}


def test_lanes_that_never_start_end_the_search(talk: Talk) -> None:
    for _ in range(MOST_FAILURES):
        assert not talk.scheduler.ending.is_due()
        assert talk.begin() == [0]
        talk.scheduler.lost(0, "no torch", started=False)
    assert talk.scheduler.ending.is_due()
    talk.scheduler.end_all()
    assert talk.state(0) == ("paused", "5 lanes in a row did not start: no torch")


def test_failures_at_the_start_end_the_search(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    talk.begin()
    for number in range(1, MOST_FAILURES + 1):
        assert not talk.scheduler.ending.is_due()
        talk.begin()
        talk.scheduler.heard(number, failure("no data", "design"), "group")
    assert talk.scheduler.ending.is_due()
    talk.scheduler.end_all()
    assert talk.scheduler.ending.is_due()
    assert "5 trials in a row failed at their start: no data" in talk.state(0)[1]


def test_failures_with_successes_between_do_not(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    for number in range(3 * MOST_FAILURES):
        talk.begin()
        if number % 3 == 0:
            talk.heard(number, 1)
            talk.heard(number, 2)
        else:
            talk.scheduler.heard(number, failure("unlucky", "design"), "group")
    assert not talk.scheduler.ending.is_due()


def test_an_interruption_ends_all(talk: Talk) -> None:
    talk.begin()
    talk.interrupted = True
    assert talk.scheduler.ending.is_due()
    talk.scheduler.end_all()
    assert talk.state(0) == ("paused", "interrupted")


WAITING = {"waiting": True}


def test_a_trial_waits_for_its_lane_s_workers_while_there_is_room(talk: Talk) -> None:
    talk.lanes = 2
    talk.begin(2)
    assert talk.scheduler.heard(1, WAITING, "group")
    assert talk.heard(0, 1)
    assert talk.scheduler.heard(1, WAITING, "group")
    assert talk.heard(1, 1)


def test_a_trial_that_waits_takes_the_lane_that_comes_free(talk: Talk) -> None:
    """The new lane may wait for the very place that the free one holds, and so for ever."""
    talk.lanes = 3
    talk.begin(3)
    talk.heard(0, 1)
    assert not talk.heard(0, 2)
    assert talk.heard(2, 1)  # which is nothing about the free lane
    assert not talk.scheduler.heard(1, WAITING, "group")
    assert talk.begin() == [1]
    assert talk.state(1) == ("running", "") and talk.recorder.state.trials[1].restarts == 0
    assert talk.scheduler.heard(1, WAITING, "group")  # no lane is free any more


def test_a_trial_gives_up_a_lane_for_which_there_is_no_room_any_more(talk: Talk) -> None:
    talk.lanes = 2
    talk.begin(2)
    talk.lanes = 1
    assert not talk.scheduler.heard(1, WAITING, "group")
    assert talk.scheduler.next_leg() is None
    talk.lanes = 2
    assert talk.begin() == [1]


def test_known_designs_differ() -> None:
    assert len({design.id for design in TRANSCRIPT.values()}) == len(TRANSCRIPT)

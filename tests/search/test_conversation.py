"""Which legs are given and what becomes of them, without Ray's cluster."""

from pathlib import Path

import pytest

from models.design import from_dict
from models.transcript import TRANSCRIPT
from search import ledger
from search.budget import Budget
from search.conversation import EARLY, MOST_FAILURES, MOST_LOSSES
from tests.search.talk import DESIGNS, Talk


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path, Budget(trials=3))


def test_legs_carry_what_a_worker_needs_until_the_budget(talk: Talk) -> None:
    legs = [talk.conversation.next_leg() for _ in range(4)]
    assert [leg and leg.trial for leg in legs] == [0, 1, 2, None]
    assert [from_dict(leg.design) for leg in legs[:3]] == [d for _, d in DESIGNS[:3]]
    assert {(leg.seed, leg.from_epoch) for leg in legs[:3]} == {(7, 0)}
    for number in range(3):
        assert not talk.conversation.finished
        talk.heard(number, 1)
        talk.heard(number, 2)
    assert talk.conversation.finished
    assert talk.conversation.why_ended == "3 trials are done"


def test_the_same_design_again_has_a_further_seed(tmp_path: Path) -> None:
    twice = [("a", DESIGNS[0][1]), ("b", DESIGNS[0][1])]
    talk = Talk(tmp_path, Budget(), designs=twice)
    assert [talk.conversation.next_leg().seed for _ in range(2)] == [7, 8]


def test_refused_designs_are_written_down_and_not_trained(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget(), lambda d: "" if d.dense[0] == 4 else "wrong width")
    assert from_dict(talk.conversation.next_leg().design).dense == (4,)
    assert [line["reason"] for line in talk.recorder.state.refused] == ["wrong width"] * 3
    assert talk.conversation.next_leg() is None


def test_a_trial_ends_once_and_by_how_far_it_came(talk: Talk) -> None:
    talk.begin(3)
    assert [talk.heard(number, 1) for number in (0, 1)] == [True, True]
    talk.early.add(2)
    assert not talk.heard(2, 1)
    assert not talk.heard(0, 2)
    assert not talk.heard(0, 3)
    talk.conversation.lost(0, "too late", started=True)
    talk.conversation.why_ended = "why"
    talk.conversation.end_all()
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
    assert not talk.conversation.heard(0, {"failure": "out_of_memory"}, "group")
    assert talk.state(0) == ("failed", "out_of_memory")


def test_a_lost_lane_s_trial_goes_on_before_anything_new(talk: Talk) -> None:
    talk.begin(2)
    talk.heard(0, 1)
    talk.conversation.lost(0, "worker 0 is gone", started=True)
    assert not talk.heard(0, 2)
    leg = talk.conversation.next_leg()
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
    assert talk.conversation.next_leg() is None
    talk.conversation.lost(0, "gone", started=True)
    assert not talk.conversation.finished
    assert talk.begin() == [0]


def test_a_trial_that_kills_its_lanes_fails(talk: Talk) -> None:
    for _ in range(MOST_LOSSES - 1):
        assert talk.begin() == [0]
        talk.conversation.lost(0, "killed", started=True)
    assert talk.begin() == [0]
    talk.heard(0, 1)  # an epoch between: the count begins anew
    for _ in range(MOST_LOSSES):
        talk.conversation.lost(0, "killed", started=True)
        if talk.state(0)[0] == "running":
            assert talk.begin() == [0]
    assert talk.state(0) == ("failed", f"lost {MOST_LOSSES} lanes in a row, the last: killed")
    assert talk.begin() == [1]


def test_lanes_that_never_start_end_the_search(talk: Talk) -> None:
    for _ in range(MOST_FAILURES):
        assert not talk.conversation.over()
        assert talk.begin() == [0]
        talk.conversation.lost(0, "no torch", started=False)
    assert talk.conversation.over()
    talk.conversation.end_all()
    assert talk.state(0) == ("paused", "5 lanes in a row did not start: no torch")


def test_failures_at_the_start_end_the_search(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    talk.begin()
    for number in range(1, MOST_FAILURES + 1):
        assert not talk.conversation.over()
        talk.begin()
        talk.conversation.heard(number, {"failure": "no data"}, "group")
    assert talk.conversation.over()
    talk.conversation.end_all()
    assert talk.conversation.over()
    assert "5 trials in a row failed at their start: no data" in talk.state(0)[1]


def test_failures_with_successes_between_do_not(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    for number in range(3 * MOST_FAILURES):
        talk.begin()
        if number % 3 == 0:
            talk.heard(number, 1)
            talk.heard(number, 2)
        else:
            talk.conversation.heard(number, {"failure": "unlucky"}, "group")
    assert not talk.conversation.over()


def test_an_interruption_ends_all(talk: Talk) -> None:
    talk.begin()
    talk.interrupted = True
    assert talk.conversation.over()
    talk.conversation.end_all()
    assert talk.state(0) == ("paused", "interrupted")


WAITING = {"waiting": True}


def test_a_trial_waits_for_its_lane_s_workers_while_there_is_room(talk: Talk) -> None:
    talk.lanes = 2
    talk.begin(2)
    assert talk.conversation.heard(1, WAITING, "group")
    assert talk.heard(0, 1)
    assert talk.conversation.heard(1, WAITING, "group")
    assert talk.heard(1, 1)


def test_a_trial_that_waits_takes_the_lane_that_comes_free(talk: Talk) -> None:
    """The new lane may wait for the very place that the free one holds, and so for ever."""
    talk.lanes = 3
    talk.begin(3)
    talk.heard(0, 1)
    assert not talk.heard(0, 2)
    assert talk.heard(2, 1)  # which is nothing about the free lane
    assert not talk.conversation.heard(1, WAITING, "group")
    assert talk.begin() == [1]
    assert talk.state(1) == ("running", "") and talk.recorder.state.trials[1].restarts == 0
    assert talk.conversation.heard(1, WAITING, "group")  # no lane is free any more


def test_a_trial_gives_up_a_lane_for_which_there_is_no_room_any_more(talk: Talk) -> None:
    talk.lanes = 2
    talk.begin(2)
    talk.lanes = 1
    assert not talk.conversation.heard(1, WAITING, "group")
    assert talk.conversation.next_leg() is None
    talk.lanes = 2
    assert talk.begin() == [1]


def test_known_designs_differ() -> None:
    assert len({design.id for design in TRANSCRIPT.values()}) == len(TRANSCRIPT)

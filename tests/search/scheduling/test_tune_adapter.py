"""What Ray Tune asks for and tells, and what the leg scheduler makes of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from search.record import ledger
from search.scheduling.search_end import MOST_FAILURES
from search.scheduling.tune_adapter import LaneCallback, LaneScheduler, LaneSearcher
from search.terms.budget import Budget
from tests.search.talk import Talk, report


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path, Budget(trials=3))


def test_tune_s_searcher_gives_no_more_legs_than_there_are_lanes(talk: Talk) -> None:
    talk.lanes = 1
    ask = LaneSearcher(talk.scheduler)
    assert ask.suggest("a")["trial"] == 0
    assert ask.suggest("b") is None
    talk.lanes = 2  # a node has joined
    assert ask.suggest("b")["trial"] == 1
    talk.lanes = 1  # and has left, with its lane
    talk.scheduler.lost(1, "node died", started=True)
    assert ask.suggest("c") is None
    assert talk.heard(0, 1) and not talk.heard(0, 2)
    assert ask.suggest("c")["trial"] == 1
    talk.heard(1, 1)
    talk.heard(1, 2)
    assert ask.suggest("d")["trial"] == 2
    talk.heard(2, 1)
    talk.heard(2, 2)
    assert ask.suggest("e") == LaneSearcher.FINISHED


class Actor:
    """A lane that keeps what it was handed."""

    def __init__(self) -> None:
        self.legs: list[dict] = []
        self.reset_config = SimpleNamespace(remote=self.legs.append)


def lane_at_work(ask: LaneSearcher, actor: Actor) -> SimpleNamespace:
    """What the adapter sees of a trial of Tune's."""
    return SimpleNamespace(
        config=ask.suggest("x"), temporary_state=SimpleNamespace(ray_actor=actor)
    )


def result(trial: SimpleNamespace, epoch: int) -> dict:
    return {"answer": (report(epoch), trial.config["trial"], "group", "lane"), "done": False}


def test_a_lane_goes_on_with_one_leg_after_another(talk: Talk) -> None:
    actor = Actor()
    trial = lane_at_work(LaneSearcher(talk.scheduler), actor)
    decide = LaneScheduler(talk.scheduler)
    for number in range(3):
        assert trial.config["trial"] == number
        assert decide.on_trial_result(None, trial, result(trial, 1)) == decide.CONTINUE
        last = decide.on_trial_result(None, trial, result(trial, 2))
        assert talk.state(number) == ("finished", "")
        assert last == (decide.CONTINUE if number < 2 else decide.STOP)
    assert [leg["trial"] for leg in actor.legs] == [1, 2]
    assert talk.scheduler.finished


def test_a_lane_that_was_not_told_of_its_leg_trains_for_nobody(talk: Talk) -> None:
    trial = lane_at_work(LaneSearcher(talk.scheduler), Actor())
    decide = LaneScheduler(talk.scheduler)
    for epoch in (1, 2):
        assert decide.on_trial_result(None, trial, result(trial, epoch)) == decide.CONTINUE
    stray = {"answer": (report(3), 0, "group", "lane")}
    assert decide.on_trial_result(None, trial, stray) == decide.STOP
    known = talk.recorder.state.trials
    assert [line["epoch"] for line in known[0].epochs] == [1, 2] and known[1].epochs == []
    assert talk.begin() == [1] and known[1].restarts == 1


def test_a_lane_that_is_handed_a_leg_and_dies_has_lost_that_one(talk: Talk) -> None:
    trial = lane_at_work(LaneSearcher(talk.scheduler), Actor())
    decide = LaneScheduler(talk.scheduler)
    for epoch in (1, 2, 1):
        decide.on_trial_result(None, trial, result(trial, epoch))
    trial.error_file, trial.last_result = None, {"answer": ()}
    LaneCallback(talk.scheduler).on_trial_error(0, [], trial)
    assert [talk.state(number)[0] for number in (0, 1)] == ["finished", "running"]
    leg = talk.scheduler.next_leg()
    assert (leg.trial, leg.from_epoch) == (1, 1)


def test_a_lane_is_handed_nothing_once_all_is_over(talk: Talk) -> None:
    actor = Actor()
    trial = lane_at_work(LaneSearcher(talk.scheduler), actor)
    decide = LaneScheduler(talk.scheduler)
    decide.on_trial_result(None, trial, result(trial, 1))
    assert talk.begin() == [1]
    talk.scheduler.lost(1, "gone", started=True)  # and waits for a lane
    talk.interrupted = True
    assert decide.on_trial_result(None, trial, result(trial, 2)) == decide.STOP
    assert actor.legs == []


def test_a_lane_without_workers_is_handed_nothing(talk: Talk) -> None:
    actor = Actor()
    ask, decide = LaneSearcher(talk.scheduler), LaneScheduler(talk.scheduler)
    free, waits = (lane_at_work(ask, actor) for _ in range(2))
    decide.on_trial_result(None, free, result(free, 1))
    talk.lanes = 1  # a node has left
    assert decide.on_trial_result(None, free, result(free, 2)) == decide.STOP
    waiting = {"answer": ({"waiting": True}, 1, "group", "lane")}
    assert decide.on_trial_result(None, waits, waiting) == decide.STOP
    assert actor.legs == []
    assert ask.suggest("x")["trial"] == 1


@pytest.mark.parametrize(
    ("traceback", "reason"),
    [
        (
            "Traceback\n  File x\nsearch.lanes.worker_group.GroupLost: worker 0 is gone\n",
            "search.lanes.worker_group.GroupLost: worker 0 is gone",
        ),
        (
            "KeyError: a b\nTaskError: \n  more\nray.exceptions.ActorDiedError: gone:\n\n  last",
            "KeyError: a b",
        ),
        ("", "its process died"),
    ],
)
def test_why_a_lane_was_lost(talk: Talk, tmp_path: Path, traceback: str, reason: str) -> None:
    talk.begin()
    (tmp_path / "error.txt").write_text(traceback)
    trial = SimpleNamespace(
        config={"trial": 0}, error_file=str(tmp_path / "error.txt"), last_result={"answer": ()}
    )
    LaneCallback(talk.scheduler).on_trial_error(0, [], trial)
    lines = list(ledger.read(talk.recorder.run / "ledger"))
    assert lines[-1]["reason"] == reason


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        ("search.lanes.worker_group.GroupNotStarted: no torch", {"answer": ()}),
        ("ray.exceptions.ActorDiedError: The actor never ran", {}),
    ],
)
def test_a_lane_that_did_not_start_is_told_from_one_that_was_lost(
    talk: Talk, tmp_path: Path, error: str, answered: dict
) -> None:
    (tmp_path / "error.txt").write_text(f"{error}\n")
    for _ in range(MOST_FAILURES):
        talk.begin()
        trial = SimpleNamespace(
            config={"trial": 0}, error_file=str(tmp_path / "error.txt"), last_result=answered
        )
        LaneCallback(talk.scheduler).on_trial_error(0, [], trial)
    assert talk.scheduler.ending.is_due()

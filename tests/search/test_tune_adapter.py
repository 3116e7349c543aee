"""What Ray Tune asks for and tells, and what the conversation makes of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from search import ledger
from search.budget import Budget
from search.conversation import MOST_FAILURES
from search.tune_adapter import Ask, Decide, Tell
from tests.search.talk import Talk, report


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path, Budget(trials=3))


def test_tune_s_searcher_gives_no_more_legs_than_there_are_lanes(talk: Talk) -> None:
    talk.lanes = 1
    ask = Ask(talk.conversation)
    assert ask.suggest("a")["trial"] == 0
    assert ask.suggest("b") is None
    talk.lanes = 2  # a node has joined
    assert ask.suggest("b")["trial"] == 1
    talk.lanes = 1  # and has left, with its lane
    talk.conversation.lost(1, "node died", started=True)
    assert ask.suggest("c") is None
    assert talk.heard(0, 1) and not talk.heard(0, 2)
    assert ask.suggest("c")["trial"] == 1
    talk.heard(1, 1)
    talk.heard(1, 2)
    assert ask.suggest("d")["trial"] == 2
    talk.heard(2, 1)
    talk.heard(2, 2)
    assert ask.suggest("e") == Ask.FINISHED


def test_tune_s_scheduler_passes_answers_on(talk: Talk) -> None:
    talk.begin()
    decide = Decide(talk.conversation)
    trial = SimpleNamespace(config={"trial": 0})
    flat = {f"answer/{key}": value for key, value in report(1).items()} | {"group": "g", "done": 0}
    assert decide.on_trial_result(None, trial, flat) == decide.CONTINUE
    assert decide.on_trial_result(None, trial, flat | {"answer/epoch": 2}) == decide.STOP
    assert talk.state(0) == ("finished", "")


@pytest.mark.parametrize(
    ("traceback", "reason"),
    [
        (
            "Traceback\n  File x\nsearch.worker_group.GroupLost: worker 0 is gone\n",
            "search.worker_group.GroupLost: worker 0 is gone",
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
    trial = SimpleNamespace(config={"trial": 0}, error_file=str(tmp_path / "error.txt"))
    Tell(talk.conversation).on_trial_error(0, [], trial)
    lines = list(ledger.read(talk.recorder.run / "ledger"))
    assert lines[-1]["reason"] == reason


def test_a_lane_that_did_not_start_is_told_from_one_that_was_lost(
    talk: Talk, tmp_path: Path
) -> None:
    (tmp_path / "error.txt").write_text("search.worker_group.GroupNotStarted: no torch\n")
    for _ in range(MOST_FAILURES):
        talk.begin()
        trial = SimpleNamespace(config={"trial": 0}, error_file=str(tmp_path / "error.txt"))
        Tell(talk.conversation).on_trial_error(0, [], trial)
    assert talk.conversation.over()

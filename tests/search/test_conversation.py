"""Which legs are given and what becomes of them, without Ray's cluster."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.design import Design, from_dict
from models.training import EpochResult
from models.transcript import TRANSCRIPT
from search import ledger
from search.budget import Budget
from search.conversation import EARLY, MOST_FAILURES, MOST_LOSSES, Conversation
from search.fixed import InOrder
from search.follow import Follower
from search.plan import Plan
from search.recorder import Recorder
from search.scalars import Scalars
from search.tune_adapter import Ask, Decide, Tell

DESIGNS = [(f"d{width}", Design(kernels=(), dense=(width,), epochs=2)) for width in range(1, 30)]


class Talk:
    """A conversation about `DESIGNS`, and what it says."""

    def __init__(
        self, run: Path, budget: Budget, refuse=lambda design: "", designs=DESIGNS
    ) -> None:
        plan = Plan(lanes=2, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)
        strategy = InOrder(designs, goes_on=lambda trial: trial not in self.early)
        follow = Follower(strategy)
        self.recorder = Recorder(run, plan, None, (1, 8, 8), 10, Scalars(run), [follow])
        self.said: list[int] = []
        self.interrupted = False
        self.early: set[int] = set()
        self.lanes = 1000
        self.conversation = Conversation(
            strategy,
            self.recorder,
            budget,
            refuse=refuse,
            lanes=lambda: self.lanes,
            seed=7,
            say=lambda trial: self.said.append(trial.trial),
            interrupted=lambda: self.interrupted,
        )

    def begin(self, count: int = 1) -> list[int]:
        """Trials of the next so many legs."""
        return [self.conversation.next_leg().trial for _ in range(count)]

    def heard(self, number: int, epoch: int = 1, **fields) -> bool:
        return self.conversation.heard(number, report(epoch, **fields), "group")

    def state(self, trial: int) -> tuple[str, str]:
        known = self.recorder.state.trials[trial]
        return known.state, known.reason


def report(epoch: int, accuracy: float = 0.5, loss: float = 1.0) -> dict:
    result = EpochResult(epoch, loss, accuracy, loss, accuracy, 1.0, 0.1, 10.0, 1)
    return dataclasses.asdict(result) | {"precision": "", "device": "cpu"}


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


def test_known_designs_differ() -> None:
    assert len({design.id for design in TRANSCRIPT.values()}) == len(TRANSCRIPT)

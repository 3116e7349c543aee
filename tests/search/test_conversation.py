"""What is said between Ray Tune and our side, without Ray's cluster."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.design import Design, from_dict
from models.training import EpochResult
from models.transcript import TRANSCRIPT
from search.budget import Budget
from search.plan import Plan
from search.proposer import ListProposer
from search.recorder import Recorder
from search.scalars import Scalars
from search.tune_adapter import MOST_FAILURES, Conversation, Tell

DESIGNS = [(f"d{width}", Design(kernels=(), dense=(width,), epochs=2)) for width in range(1, 30)]


class Talk:
    """A conversation about `DESIGNS`, and what it says."""

    def __init__(self, run: Path, budget: Budget, refuse=lambda design: "") -> None:
        plan = Plan(lanes=2, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)
        self.recorder = Recorder(run, plan, None, (1, 8, 8), 10, Scalars(run))
        self.said: list[int] = []
        self.interrupted = False
        self.conversation = Conversation(
            ListProposer(DESIGNS),
            self.recorder,
            budget,
            refuse,
            7,
            lambda trial: self.said.append(trial.trial),
            lambda: self.interrupted,
        )

    def state(self, trial: int) -> tuple[str, str]:
        known = self.recorder.state.trials[trial]
        return known.state, known.reason


def report(epoch: int, accuracy: float = 0.5, loss: float = 1.0) -> dict:
    result = EpochResult(epoch, loss, accuracy, loss, accuracy, 1.0, 0.1, 10.0, 1)
    return {"epoch_result": dataclasses.asdict(result) | {"precision": "", "device": "cpu"}}


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path, Budget(trials=3))


def test_proposals_carry_what_a_worker_needs_until_the_budget(talk: Talk) -> None:
    configs = [talk.conversation.propose() for _ in range(4)]
    assert [config and config["trial"] for config in configs] == [0, 1, 2, None]
    assert [from_dict(config["design"]) for config in configs[:3]] == [d for _, d in DESIGNS[:3]]
    assert {config["seed"] for config in configs[:3]} == {7}
    assert talk.conversation.why_ended == "3 trials are done"


def test_the_same_design_again_has_a_further_seed(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    talk.conversation.proposer = ListProposer([("a", DESIGNS[0][1]), ("b", DESIGNS[0][1])])
    assert [talk.conversation.propose()["seed"] for _ in range(2)] == [7, 8]


def test_refused_designs_are_written_down_and_not_trained(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget(), lambda d: "" if d.dense[0] == 4 else "wrong width")
    assert from_dict(talk.conversation.propose()["design"]).dense == (4,)
    assert [line["reason"] for line in talk.recorder.state.refused] == ["wrong width"] * 3
    assert talk.conversation.propose() is None


def test_a_trial_ends_once_and_by_how_far_it_came(talk: Talk) -> None:
    for number in range(2):
        talk.conversation.propose()
        talk.conversation.heard(number, report(1))
    talk.conversation.heard(0, report(2))
    talk.conversation.ended(0)
    talk.conversation.ended(0, failure="too late")
    talk.conversation.heard(0, report(3))
    talk.conversation.ended(1, reason="why")
    assert (talk.state(0), talk.state(1)) == (("finished", ""), ("stopped", "why"))
    assert talk.said == [0, 1]


def test_divergence_is_a_failure_with_its_reason(talk: Talk) -> None:
    talk.conversation.propose()
    talk.conversation.heard(0, report(1, loss=float("inf")))
    assert talk.state(0) == ("failed", "diverged")


def test_failures_at_the_start_end_the_search(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    talk.conversation.propose()
    for number in range(1, MOST_FAILURES + 1):
        assert not talk.conversation.over()
        talk.conversation.propose()
        talk.conversation.ended(number, failure="no data")
    assert talk.conversation.over()
    talk.conversation.end_all()
    assert talk.conversation.over()
    assert "5 trials in a row failed at their start: no data" in talk.state(0)[1]


def test_failures_with_successes_between_do_not(tmp_path: Path) -> None:
    talk = Talk(tmp_path, Budget())
    for number in range(3 * MOST_FAILURES):
        talk.conversation.propose()
        if number % 3 == 0:
            talk.conversation.heard(number, report(1))
        talk.conversation.ended(number, failure="" if number % 3 == 0 else "unlucky")
    assert not talk.conversation.over()


def test_an_interruption_ends_all(talk: Talk) -> None:
    talk.conversation.propose()
    talk.interrupted = True
    assert talk.conversation.over()
    talk.conversation.end_all()
    assert talk.state(0) == ("stopped", "interrupted")


@pytest.mark.parametrize(
    ("traceback", "reason"),
    [
        ("Traceback\n  File x\nValueError: bad: thing\n", "ValueError: bad: thing"),
        ("KeyError: a b\nTaskError: \n  more\nray.TrainError: workers:\n\n  last", "KeyError: a b"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried\nValueError: later", "out_of_memory"),
        ("", "its process died"),
    ],
)
def test_why_a_trial_failed(talk: Talk, tmp_path: Path, traceback: str, reason: str) -> None:
    talk.conversation.propose()
    (tmp_path / "error.txt").write_text(traceback)
    trial = SimpleNamespace(config={"trial": 0}, error_file=str(tmp_path / "error.txt"))
    Tell(talk.conversation).on_trial_error(0, [], trial)
    assert talk.state(0) == ("failed", reason)


def test_known_designs_differ() -> None:
    assert len({design.id for design in TRANSCRIPT.values()}) == len(TRANSCRIPT)

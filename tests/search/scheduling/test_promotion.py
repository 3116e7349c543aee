"""Trials that pause and go on: what the leg scheduler makes of a strategy's answers, and what is
left of it after a crash."""

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import Design
from models.training.training_run import EpochResult
from search.record import ledger, state
from search.record.recorder import Recorder
from search.record.state import SearchState
from search.record.strategy_follower import Follower
from search.record.tensorboard_events import Scalars
from search.scheduling import paused_trials
from search.scheduling.leg_scheduler import LegScheduler
from search.space.design_space import NetworkSpace
from search.strategy.fixed_designs import NonLearningStrategy
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms.actions import Start, Strategy
from search.terms.budget import Budget
from search.terms.plan import Plan
from search.terms.time_left import TimeLeft

SPACE = NetworkSpace(max_epochs=9, height=8, width=8)
PLAN = Plan(lanes=2, workers_per_trial=1, cpus_per_worker=1, gpus_per_worker=0)


class Cluster:
    """A search without a cluster: lanes that answer when they are told to."""

    def __init__(
        self, run: Path, *, trials: float = 12, lanes: int = 2, searcher="random", second=""
    ) -> None:
        settings = StrategySettings(searcher, seed=2, second=second)
        self.strategy: Strategy = SearchStrategy(SPACE, settings)
        follow = Follower(self.strategy, second)
        known = SearchState()
        for line in ledger.read(run / "ledger"):
            state.apply(known, line)
            follow(line, known)
        self.recorder = Recorder(
            run, PLAN, None, (1, 8, 8), 10, Scalars(run), [follow], known if known.trials else None
        )
        self.scheduler = LegScheduler(
            self.strategy,
            self.recorder,
            Budget(trials=trials),
            refuse=lambda design: "",
            lanes=lambda: lanes,
            seed=0,
            say=lambda trial: None,
            interrupted=lambda: False,
        )
        self.lanes: dict[int, int] = {}
        """Trials in lanes, and the epoch that each has come to."""

    def decide_by(self, strategy: Strategy) -> None:
        self.scheduler.strategy = self.scheduler._decisions._strategy = strategy

    def fill(self) -> None:
        while leg := self.scheduler.next_leg():
            assert leg.trial not in self.lanes
            self.lanes[leg.trial] = leg.from_epoch

    def train(self, trial: int) -> None:
        """One epoch of a lane's trial."""
        epoch = self.lanes[trial] + 1
        accuracy = random.Random(f"{trial} {epoch}").random()
        result = EpochResult(epoch, 1.0, accuracy, 1.0, accuracy, 1.0, 0.1, 10.0, 1)
        answer = dataclasses.asdict(result) | {"precision": "", "device": "cpu"}
        self.lanes[trial] = epoch
        if not self.scheduler.heard(trial, answer, "group"):
            del self.lanes[trial]

    def run(self, most: int = 10_000) -> None:
        for _ in range(most):
            self.fill()
            if not self.lanes:
                return
            self.train(min(self.lanes))


def decisions(run: Path) -> list[tuple]:
    lines = [line for line in ledger.read(run / "ledger") if line["kind"] == "decision"]
    return [(line["action"], line.get("trial"), line.get("to_epoch")) for line in lines]


def epochs(run: Path) -> list[tuple[int, int]]:
    lines = ledger.read(run / "ledger")
    return [(line["trial"], line["epoch"]) for line in lines if line["kind"] == "epoch"]


@pytest.mark.parametrize("searcher", ["random", "curves"])
def test_trials_pause_and_the_promising_go_on(tmp_path: Path, searcher) -> None:
    cluster = Cluster(tmp_path, searcher=searcher)
    cluster.run()
    found = cluster.recorder.state
    assert cluster.scheduler.finished
    assert cluster.scheduler.ending.why == "12 trials are done"
    assert len(found.trials) == 12
    assert {trial.state for trial in found.trials.values()} == {"paused", "finished"}
    assert all(trial.last_epoch in (1, 3, 9) for trial in found.trials.values())
    assert len(set(epochs(tmp_path))) == len(epochs(tmp_path))
    resumed = [d for d in decisions(tmp_path) if d[0] == "resume"]
    assert resumed and all(to_epoch in (3, 9) for _, _, to_epoch in resumed)
    # Costs are booked leg by leg: in all they are those of the epochs.
    for trial in found.trials.values():
        assert trial.costs["training"] == pytest.approx(trial.last_epoch)
        assert trial.costs["evaluation"] == pytest.approx(0.1 * trial.last_epoch)


@pytest.mark.parametrize("searcher", ["random", "curves", "tpe"])
@pytest.mark.parametrize("second", ["cost", "parameters", "flops", "latency"])
def test_two_objectives(tmp_path: Path, searcher, second) -> None:
    cluster = Cluster(tmp_path, searcher=searcher, second=second, trials=14)
    cluster.run()
    assert len(cluster.recorder.state.trials) == 14 and cluster.scheduler.finished
    assert any(action == "resume" for action, _, _ in decisions(tmp_path))


def test_a_trial_that_is_promoted_at_once_stays_in_its_lane(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, lanes=1)
    stayed = 0
    for _ in range(100):
        cluster.fill()
        if not cluster.lanes:
            break
        (trial,) = cluster.lanes
        before = len(decisions(tmp_path))
        cluster.train(trial)
        decided = decisions(tmp_path)[before:]
        if decided and decided[0][:2] == ("resume", trial):
            assert cluster.lanes == {trial: cluster.lanes[trial]}
            stayed += 1
    assert stayed


@settings(deadline=None, max_examples=20)
@given(
    cuts=st.lists(st.integers(1, 25), min_size=1, max_size=4),
    searcher=st.sampled_from(["random", "curves"]),
)
def test_killed_anywhere_it_decides_as_if_it_had_not_been(tmp_path_factory, cuts, searcher) -> None:
    whole = tmp_path_factory.mktemp("whole")
    Cluster(whole, lanes=1, searcher=searcher).run()
    cut = tmp_path_factory.mktemp("cut")
    for most in cuts:
        Cluster(cut, lanes=1, searcher=searcher).run(most)  # and is gone, without a word
    last = Cluster(cut, lanes=1, searcher=searcher)
    last.run()
    assert last.scheduler.finished
    assert decisions(cut) == decisions(whole)
    assert epochs(cut) == epochs(whole)
    assert {n: t.state for n, t in last.recorder.state.trials.items()} == {
        n: t.state for n, t in state.load(whole).trials.items()
    }


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), lanes=st.integers(1, 5))
def test_lanes_in_any_order_are_never_too_many_nor_asked_twice(
    tmp_path_factory, seed, lanes
) -> None:
    run = tmp_path_factory.mktemp("any")
    cluster, order = Cluster(run, lanes=lanes, searcher="curves"), random.Random(seed)
    while not cluster.scheduler.finished:
        cluster.fill()
        assert len(cluster.lanes) <= lanes
        if not cluster.lanes:
            assert cluster.scheduler.finished
            break
        trial = order.choice(sorted(cluster.lanes))
        if order.random() < 0.15:
            del cluster.lanes[trial]
            cluster.scheduler.lost(trial, "killed", started=True)
        else:
            cluster.train(trial)
    told = epochs(run)
    assert len(set(told)) == len(told)
    for trial in {trial for trial, _ in told}:
        own = [epoch for number, epoch in told if number == trial]
        assert own == list(range(1, len(own) + 1))


def test_a_search_that_was_cut_goes_on_with_what_it_was_training(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.run(12)
    cluster.fill()
    in_lanes = dict(cluster.lanes)
    cluster.scheduler.ending.why = "interrupted"
    cluster.scheduler.end_all()
    cluster.recorder.close("interrupted", "interrupted")
    cut = state.load(tmp_path)
    assert {cut.trials[n].state for n in in_lanes} == {"paused"}
    again = Cluster(tmp_path)
    again.fill()
    assert again.lanes == in_lanes
    assert again.recorder.seconds() >= cut.wall_seconds > 0


def test_of_too_many_that_wait_the_worst_are_given_up(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(paused_trials, "MOST", 4)
    cluster = Cluster(tmp_path, trials=10)
    cluster.run()
    trials = cluster.recorder.state.trials.values()
    waiting = [t for t in trials if t.state == "paused"]
    given_up = [t for t in trials if t.state == "stopped"]
    assert len(waiting) <= 4 and given_up
    assert {t.reason for t in given_up} == {"given up: 4 better ones wait"}
    assert not any(t.last_epoch > min(w.last_epoch for w in waiting) for t in given_up)


class Nothing(NonLearningStrategy):
    """Has no design at all."""

    def next(self, *, new: bool = True, left: TimeLeft | None = None) -> None:
        return None


def test_a_strategy_without_answers_ends_the_search(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.decide_by(Nothing())
    assert cluster.scheduler.next_leg() is None
    assert cluster.scheduler.finished
    assert cluster.scheduler.ending.why == "all designs are trained"


def test_what_follows_from_the_last_line_is_done_after_a_crash(tmp_path: Path) -> None:
    """Killed after an epoch's line and before what follows from it: a divergence, or an end."""
    cluster = Cluster(tmp_path, lanes=1)
    cluster.fill()
    lost = {"train_loss": None, "val_loss": None, "train_accuracy": None, "val_accuracy": None}
    told = {"train_seconds": 1.0, "eval_seconds": 0.1, "precision": "", "device": "cpu", "lane": 0}
    told |= {"images_per_second": 1.0, "peak_memory_bytes": 1}
    cluster.recorder._write(("epoch", {"trial": 0, "epoch": 1, **lost, **told}))
    again = Cluster(tmp_path, lanes=1)
    assert (again.recorder.state.trials[0].state, again.recorder.state.trials[0].reason) == (
        "failed",
        "diverged",
    )
    again.fill()
    assert 0 not in again.lanes


class Ends(NonLearningStrategy):
    """Begins one design, and ends it after its first epoch."""

    def next(self, *, new: bool = True, left: TimeLeft | None = None):
        design = Design(kernels=((8,),), epochs=9)
        return Start(design, 9, "test") if new else None

    def goes_on(self, trial: int) -> bool:
        return False


def test_a_trial_that_was_to_end_gets_no_further_epoch(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, lanes=1)
    cluster.decide_by(Ends())
    cluster.fill()
    cluster.decide_by(NonLearningStrategy())  # killed before the end is written
    cluster.train(0)
    known = state.load(tmp_path)
    strategy = Ends()
    recorder = Recorder(tmp_path, PLAN, None, (1, 8, 8), 10, Scalars(tmp_path), (), known)
    LegScheduler(
        strategy,
        recorder,
        Budget(),
        refuse=lambda design: "",
        lanes=lambda: 1,
        seed=0,
        say=lambda trial: None,
        interrupted=lambda: False,
    )
    assert recorder.state.trials[0].state == "stopped"


def test_of_a_torn_decision_nothing_follows(tmp_path: Path) -> None:
    """The line of a decision is there, that of its trial is not: it is decided again, the same."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    Cluster(whole, lanes=1).run(3)
    cluster = Cluster(torn, lanes=1)
    cluster.run(2)
    cluster.recorder._write(("decision", {"action": "start", "trial": 2, "by": "random"}))
    again = Cluster(torn, lanes=1)
    again.run(1)
    trials = [state.load(run).trials[2].design for run in (whole, torn)]
    assert trials[0] == trials[1]


def test_who_waits_for_a_lane_is_not_billed(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, lanes=4)
    cluster.fill()
    again = Cluster(tmp_path, lanes=1)
    again.fill()
    assert len(again.lanes) == 1 and len(again.recorder.running()) == 4
    trials = again.recorder.state.trials
    assert [number for number in trials if trials[number].account.stay] == list(again.lanes)
    (trial,) = again.lanes
    again.scheduler.lost(trial, "killed", started=True)
    assert not any(trials[number].account.stay for number in trials)
    assert len(again.recorder.running()) == 4 and trials[trial].costs["lost"] > 0


def test_after_too_many_refusals_what_waits_still_goes_on(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, lanes=1, trials=100)
    cluster.run(8)
    cluster.scheduler._decisions._refuse = lambda design: "too large"
    cluster.run()
    assert "200 designs in a row were refused" in cluster.scheduler.ending.why
    assert any(trial.state == "finished" for trial in cluster.recorder.state.trials.values())

"""study.log, which is for people: what Optuna reads in it is what the ledger says."""

from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from models.design import Design
from search.record import state
from search.record.state import SearchState
from search.record.study_log import STUDY, StudyLog
from search.space.design_space import NetworkSpace
from search.space.optuna_parameters import parameters_of
from tests.search.hand_made import end, epoch, trial

SPACE = NetworkSpace(max_epochs=4, height=32, width=32)
DESIGNS = [Design(kernels=((8 + n,),), epochs=4, batch_size=64) for n in range(6)]


def story() -> list[dict]:
    lines = []
    for number, design in enumerate(DESIGNS):
        lines.append(trial(number, design, to_epoch=1, design_id=design.id))
    lines += [epoch(0, n, 0.4 + n / 10) for n in (1, 2, 3, 4)] + [end(0)]
    lines += [epoch(1, 1, 0.4), end(1, "paused")]
    lines += [epoch(2, 1, None), end(2, "failed", "diverged")]
    lines += [epoch(3, 1, 0.3), end(3, "stopped", "given up")]
    lines += [epoch(4, 1, 0.45), end(4, "paused")]
    lines += [{"kind": "trial", "trial": 4, "state": "running", "action": "resume", "to_epoch": 3}]
    lines += [epoch(4, 2, 0.5)]
    refuse = {"kind": "decision", "action": "refuse", "design": {}, "reason": "too large"}
    return [*lines, refuse]


def write(path: Path, lines: list[dict], second: str = "", known: int = 0) -> StudyLog:
    """The first `known` lines are an earlier session's."""
    found = SearchState()
    for line in lines[:known]:
        state.apply(found, line)
    log = StudyLog(path, SPACE, second)
    log.catch_up(found)
    for line in lines[known:]:
        state.apply(found, line)
        log(line, found)
    return log


def read(path: Path) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(path)))
    return optuna.load_study(study_name=STUDY, storage=storage)


STATES = ["COMPLETE", "RUNNING", "FAIL", "PRUNED", "RUNNING", "RUNNING"]


@pytest.mark.parametrize("known", [0, 9, 17, 22])
def test_trials_stand_as_they_are_also_when_the_search_was_resumed(tmp_path: Path, known) -> None:
    path = tmp_path / "study.log"
    write(path, story(), known=known)
    study = read(path)
    trials = sorted(
        (t for t in study.trials if "trial" in t.user_attrs), key=lambda t: t.user_attrs["trial"]
    )
    assert [t.state.name for t in trials] == STATES
    (refused,) = [t for t in study.trials if "trial" not in t.user_attrs]
    assert refused.state == TrialState.FAIL and refused.user_attrs["reason"] == "too large"
    assert trials[0].value == 0.8 and study.best_trial.user_attrs["trial"] == 0
    assert trials[0].intermediate_values == pytest.approx({1: 0.5, 2: 0.6, 3: 0.7, 4: 0.8})
    assert trials[4].intermediate_values == {1: 0.45, 2: 0.5}
    assert [t.user_attrs["paused"] for t in trials] == [False, True, False, False, False, False]
    assert trials[2].user_attrs["reason"] == "diverged"
    assert trials[0].user_attrs["train_seconds"] == 40.0
    assert trials[0].user_attrs["parameters"] == 1000
    assert trials[0].user_attrs["design_id"] == DESIGNS[0].id
    assert trials[0].params == parameters_of(SPACE, DESIGNS[0])[0]


def test_at_the_end_what_waits_is_pruned(tmp_path: Path) -> None:
    path = tmp_path / "study.log"
    write(path, [*story(), {"kind": "run", "event": "end"}])
    trials = [t for t in read(path).trials if "trial" in t.user_attrs]
    states = [t.state.name for t in trials]
    # The last was never trained an epoch.
    assert states == ["COMPLETE", "PRUNED", "FAIL", "PRUNED", "PRUNED", "FAIL"]


@pytest.mark.parametrize(
    ("second", "value"), [("cost", 40.0), ("parameters", 1000.0), ("latency", 1.0)]
)
def test_two_objectives_have_a_front(tmp_path: Path, second, value) -> None:
    path = tmp_path / "study.log"
    write(path, story(), second)
    study = read(path)
    assert study.metric_names == ["val_accuracy", second]
    (best,) = study.best_trials
    assert best.values == [0.8, value]


def test_a_design_outside_the_space_is_written_as_the_nearest_in_it(tmp_path: Path) -> None:
    wide = Design(kernels=((500,),), dense=(4000,), batch_size=64, epochs=4)
    path = tmp_path / "study.log"
    write(path, [trial(0, wide, design_id=wide.id)])
    (known,) = read(path).trials
    assert known.params["dense_1"] == 256

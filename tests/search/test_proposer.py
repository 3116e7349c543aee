from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from models.transcript import TRANSCRIPT
from search.proposer import STUDY, ListProposer, OptunaProposer
from search.space import Space
from search.state import fold
from tests.search.hand_made import end, epoch, trial

SPACE = Space(max_epochs=4, height=32, width=32)
KNOWN = [(name, TRANSCRIPT[name]) for name in ("cnn-1", "cnn-3")]


def proposer(folder: Path, searcher="random", seed: int = 0) -> OptunaProposer:
    return OptunaProposer(folder / "study.log", SPACE, searcher, seed, KNOWN)


def test_known_designs_first_then_the_searcher(tmp_path: Path) -> None:
    asked = []
    ours = proposer(tmp_path)
    for number in range(4):
        asked.append(ours.ask())
        ours.started(number, 1000)
    assert [(name, by) for _, name, by in asked] == [
        ("cnn-1", "known"),
        ("cnn-3", "known"),
        ("", "random"),
        ("", "random"),
    ]
    assert asked[1][0] == replace(TRANSCRIPT["cnn-3"], epochs=4)


@pytest.mark.parametrize("searcher", ["tpe", "gp", "random"])
def test_same_seed_and_results_same_proposals(tmp_path: Path, searcher) -> None:
    def proposals(folder: Path, seed: int) -> list:
        folder.mkdir()
        ours = proposer(folder, searcher, seed)
        designs = []
        for number in range(12):
            design, _, _ = ours.ask()
            ours.started(number, 1000)
            designs.append(design)
            lines = [trial(number, design), epoch(number, 4, 0.1 + design.batch_size / 1000)]
            ours.told_end(fold([*lines, end(number)]).trials[number])
        return designs

    first = proposals(tmp_path / "a", 1)
    assert first == proposals(tmp_path / "b", 1)
    assert first != proposals(tmp_path / "c", 2)


def test_the_study_tells_how_trials_ended(tmp_path: Path) -> None:
    ours = proposer(tmp_path)
    stories = {
        0: [epoch(0, 1, 0.5), epoch(0, 2, 0.7), epoch(0, 4, 0.6), end(0)],
        1: [epoch(1, 1, 0.4), end(1, "stopped", "scheduler")],
        2: [epoch(2, 1, None), end(2, "failed", "diverged")],
    }
    for number, story in stories.items():
        design, _, _ = ours.ask()
        ours.started(number, 1000)
        lines = [trial(number, design)]
        for line in story[:-1]:
            lines.append(line)
            ours.told_epoch(fold(lines).trials[number])
        ours.told_end(fold([*lines, story[-1]]).trials[number])
    ours.ask()
    ours.refused("too large")

    storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.log")))
    study = optuna.load_study(study_name=STUDY, storage=storage)
    complete, pruned, diverged, refused = study.trials
    assert (complete.state, complete.value) == (TrialState.COMPLETE, 0.7)
    assert complete.intermediate_values == {1: 0.5, 2: 0.7, 4: 0.6}
    assert complete.user_attrs["train_seconds"] == 30
    assert (pruned.state, pruned.user_attrs["reason"]) == (TrialState.PRUNED, "scheduler")
    assert (diverged.state, diverged.user_attrs["reason"]) == (TrialState.FAIL, "diverged")
    assert (refused.state, refused.user_attrs["reason"]) == (TrialState.FAIL, "too large")
    assert study.best_trial.user_attrs["trial"] == 0


def test_a_list_ends() -> None:
    ours = ListProposer(KNOWN)
    assert [ours.ask()[1] for _ in range(2)] == ["cnn-1", "cnn-3"]
    assert ours.ask() is None

"""What is optimised, accuracy or balanced accuracy, is the ledger's word for all who choose."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from models.data import class_counts
from models.data.dataset import Dataset, Source
from models.data.images import Images, split
from models.design import Design
from models.training.device import FIXED
from models.training.training_run import Training
from search.cli.options import SearchOptions
from search.record import state
from search.record.checkpoint_retention import checkpoint_name, sweep
from search.record.recorder import Recorder
from search.record.state import fold
from search.record.strategy_follower import Follower
from search.record.tensorboard_events import Scalars
from search.session.resuming import find
from search.storage.store import Folder
from search.strategy.fixed_designs import NonLearningStrategy
from search.terms import metric
from tests.search.hand_made import Line, end, epoch, trial
from tests.search.record.test_recorder import PLAN, table
from tests.search.record.test_study_log import SPACE, STUDY, StudyLog

START = {"kind": "run", "event": "start"}
BALANCED = START | {"objective_metric": "balanced_accuracy"}
SHORT = Design(epochs=2)
CPU = torch.device("cpu")


def told(number: int, at: int, accuracy: float, balanced: float | None) -> Line:
    return epoch(number, at, accuracy) | {"val_balanced_accuracy": balanced}


def story(start: Line) -> list[Line]:
    """Trial 0 has the higher accuracy, trial 1 the higher balanced accuracy, at its first epoch."""
    return [
        start,
        *(trial(0, SHORT), told(0, 1, 0.95, 0.5), told(0, 2, 0.96, 0.5), end(0)),
        *(trial(1, SHORT), told(1, 1, 0.85, 0.8), told(1, 2, 0.9, 0.7), end(1)),
    ]


@pytest.mark.parametrize(
    ("start", "winner", "best", "score"), [(START, 0, [2, 2], 0.96), (BALANCED, 1, [1, 1], 0.8)]
)
def test_the_winner_and_each_trial_s_best_go_by_the_ledger_s_metric(
    start: Line, winner: int, best: list[int], score: float
) -> None:
    found = fold(story(start))
    assert (found.winner.trial, found.best_accuracy) == (winner, score)
    assert [each.best["epoch"] for each in found.trials.values()] == best


def test_a_session_that_goes_on_keeps_it_and_a_later_version_s_is_refused() -> None:
    assert fold([*story(BALANCED), BALANCED]).winner.trial == 1
    with pytest.raises(ValueError, match="'f1'"):
        fold([START | {"objective_metric": "f1"}])


class Heard(NonLearningStrategy):
    def __init__(self) -> None:
        self.scores: list[float | None] = []

    def told(self, trial, epoch, accuracy, seconds, evaluation=0.0) -> None:
        self.scores.append(accuracy)


@pytest.mark.parametrize(
    ("start", "scores"), [(START, [0.95, 0.96, 0.85, 0.9]), (BALANCED, [0.5, 0.5, 0.8, 0.7])]
)
def test_the_strategy_is_told_it(start: Line, scores: list[float]) -> None:
    heard, known = Heard(), state.SearchState()
    follow = Follower(heard)
    for line in story(start):
        state.apply(known, line)
        follow(line, known)
    assert heard.scores == scores


def test_checkpoints_and_the_study_go_by_it(tmp_path: Path) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    found = fold(story(BALANCED))
    store = Folder(str(tmp_path))
    names = [checkpoint_name(number, at) for number in (0, 1) for at in (1, 2)]
    for name in names:
        store.write(name, b"x")
    sweep(store, found)  # equal costs: trial 1 alone is on the front, at its first epoch
    assert [name for name in names if (tmp_path / name).exists()] == [checkpoint_name(1, 1)]
    StudyLog(tmp_path / "study.log", SPACE, "", "balanced_accuracy").catch_up(found)
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.log")))
    study = optuna.load_study(study_name=STUDY, storage=storage)
    assert study.metric_names == ["val_balanced_accuracy"] and study.best_value == 0.8


def test_the_recorder_writes_it_down_and_the_tables_have_both(tmp_path: Path) -> None:
    recorder = Recorder(
        tmp_path, PLAN, None, (1, 8, 8), 10, Scalars(tmp_path), metric="balanced_accuracy"
    )
    number = recorder.start(SHORT, seed=0)
    for line in (told(0, 1, 0.9, 0.6), told(0, 2, 0.8, 0.7)):
        kept = {key: value for key, value in line.items() if key not in ("kind", "trial", "lane")}
        recorder.epoch(number, kept, "group")
    recorder.end(number)
    recorder.close("end", "")
    (row,) = table(tmp_path, "trials.csv")
    assert (row["best_epoch"], row["val_accuracy"], row["val_balanced_accuracy"]) == (
        *("2", "0.8", "0.7"),
    )
    assert [row["val_balanced_accuracy"] for row in table(tmp_path, "epochs.csv")] == ["0.6", "0.7"]
    assert state.load(tmp_path).metric == "balanced_accuracy"


def test_a_resume_cannot_change_it(tmp_path: Path) -> None:
    Recorder(tmp_path / "run", PLAN, None, (1, 8, 8), 10, Scalars(tmp_path)).close("cut", "")
    settings = dataclasses.asdict(SearchOptions())
    del settings["objective_metric"]  # as an older run has it
    info = {"settings": settings, "state": "interrupted"}
    (tmp_path / "run" / "run.json").write_text(json.dumps(info, default=str))
    given = SearchOptions(out=tmp_path, resume="run")
    assert find(given).options.objective_metric == "accuracy"
    with pytest.raises(ValueError, match="--objective-metric belongs to the run"):
        find(dataclasses.replace(given, objective_metric="balanced_accuracy"))


def test_people_are_told_what_counts_first() -> None:
    line = told(0, 1, 0.97, 0.521)
    assert metric.tell(line, "accuracy", both=False) == "97.0%"
    assert metric.tell(line, "accuracy", both=True) == "97.0%, balanced 52.1%"
    assert metric.tell(line, "balanced_accuracy", both=False) == "balanced 52.1%, accuracy 97.0%"
    assert metric.tell(epoch(0, 1, 0.97), "accuracy", both=True) == "97.0%"  # an older ledger


@pytest.mark.parametrize(
    ("counts", "uneven", "words"),
    [
        ((100, 70), False, ""),
        ((100, 50), True, ""),
        ((100, 20), True, ""),
        ((19, 100), True, "dog has 100 training images, cat 19"),
        ((3, 0), True, "cat has 3 training images, dog 0"),
    ],
)
def test_a_notice_names_the_largest_and_the_smallest_class(
    counts: tuple[int, int], uneven: bool, words: str
) -> None:
    notice = class_counts.notice(("cat", "dog"), counts)
    assert class_counts.is_uneven(counts) == uneven
    assert words in notice and bool(notice) == bool(words)


def uneven_images() -> Images:
    """A class of 5 %, all bright; and one of 95 %, of which a tenth is bright too."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(4000) % 20 == 0).long()
    bright = (labels == 1) | (torch.rand(4000, generator=generator) < 0.1)
    light = 80 + 80 * bright[:, None] + 30 * torch.randn(4000, 64, generator=generator)
    return Images(light.clamp(0, 255).to(torch.uint8).view(4000, 1, 8, 8), labels)


def test_on_data_of_95_to_5_the_option_chooses_another_network(tmp_path: Path) -> None:
    """The network trained for long calls all images the larger class, the other one tells bright
    from dark."""
    train, validation = split(uneven_images())
    dataset = Dataset(
        Source(), "uneven", "", "", ("many", "few"), (1, 8, 8), (0.4,), (0.1,), 4000, 0
    )
    long = Design(kernels=(), dense=(256,), learning_rate=1e-2, epochs=5, batch_size=32)
    short = Design(kernels=(), dense=(), learning_rate=1e-3, epochs=3, batch_size=64)
    results = []
    for design in (long, short):
        training = Training(
            design, dataset, train, validation, seed=0, device=CPU, precision=FIXED["fp32"]
        )
        results.append([training.run_epoch() for _ in range(design.epochs)][-1])
    plain, telling = results
    assert plain.val_accuracy > telling.val_accuracy + 0.1
    assert telling.val_balanced_accuracy > plain.val_balanced_accuracy + 0.2
    for chosen, expected in (("accuracy", 0), ("balanced_accuracy", 1)):
        run = tmp_path / chosen
        recorder = Recorder(run, PLAN, None, (1, 8, 8), 2, Scalars(run), metric=chosen)
        for result in results:
            number = recorder.start(Design(epochs=1), seed=0)
            line = dataclasses.asdict(result) | {"epoch": 1, "precision": "", "device": "cpu"}
            recorder.epoch(number, line, "group")
            recorder.end(number)
        recorder.close("end", "")
        assert state.load(run).winner.trial == expected

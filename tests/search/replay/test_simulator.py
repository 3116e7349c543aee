"""Replays on tables made by hand, whose costs are known."""

from pathlib import Path

import numpy as np
import pytest

from search.replay import curve_table, score
from search.replay.baselines import KEPT, STRATEGIES, TRIED, OneEpochEach, Shuffled
from search.replay.curve_table import CurveTable, TableSpace
from search.replay.simulator import RecordedTrainer, UnboundedTrainer, replay
from search.strategy.fixed_designs import NonLearningStrategy
from search.terms.actions import Start
from search.terms.time_left import TimeLeft
from tests.search.tables import smooth, write

TWO = CurveTable(
    "two",
    ("x",),
    np.array([[1.0], [3.0]]),
    np.array([[0.1, 0.2, 0.3], [0.5, 0.4, 0.6]]),
    np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]),
)


class Full(NonLearningStrategy):
    """Asks for the points given, in full."""

    def __init__(self, *points: float) -> None:
        self.points, self.got = list(points), []

    def next(self, *, new: bool = True, left: TimeLeft | None = None):
        return Start((self.points.pop(0),), 3, "test") if new and self.points else None

    def started(self, trial, design, to_epoch, name=""):
        self.got.append(design)


def test_the_nearest_that_is_left_is_trained_and_told() -> None:
    strategy = Full(2.9, 2.8, 2.7)
    events = list(replay(strategy, RecordedTrainer(TWO, TableSpace(TWO)), 1))
    assert strategy.got == [(3.0,), (1.0,)]  # the third finds none left
    assert [(e.time, e.trial, e.epoch, e.accuracy) for e in events] == [
        (2.0, 0, 1, 0.5),
        (4.0, 0, 2, 0.4),
        (6.0, 0, 3, 0.6),
        (7.0, 1, 1, 0.1),
        (8.0, 1, 2, 0.2),
        (9.0, 1, 3, 0.3),
    ]
    assert [event.spent for event in events] == [2.0, 4.0, 6.0, 7.0, 8.0, 9.0]


def test_idle_workers_are_charged_while_designs_remain() -> None:
    events = list(replay(Full(1.0, 3.0), RecordedTrainer(TWO, TableSpace(TWO)), 3))
    # Nothing is left when the third worker asks: from then on two are charged, then one.
    assert [(event.time, event.spent) for event in events if event.trial == 1] == [
        (2.0, 6.0),
        (4.0, 12.0),
        (6.0, 18.0),
    ]


def test_a_worker_without_an_answer_is_charged() -> None:
    events = list(replay(Full(1.0), RecordedTrainer(TWO, TableSpace(TWO)), 4))
    assert [event.spent for event in events] == [4.0, 8.0, 12.0]


def test_when_nothing_is_left_idle_workers_cost_nothing() -> None:
    table = smooth(3, 4)
    events = list(replay(Shuffled(table, 0), RecordedTrainer(table, TableSpace(table)), 1))
    assert events[-1].spent == pytest.approx(table.seconds.sum())


def test_any_design_can_be_trained_where_there_is_no_end_of_them() -> None:
    table = smooth(10, 4)
    space = TableSpace(table)
    trainer = UnboundedTrainer(table, space)
    near = tuple((table.points[4] * 1.0001).tolist())
    first, again = trainer.take(near), trainer.take(near)
    assert first is not None and again is not None and first[0] == near
    accuracies, seconds = trainer.curve(first[1])
    assert np.array_equal(accuracies, trainer.curve(again[1])[0])  # a design has its own curve
    assert np.abs(accuracies - table.accuracies[4]).max() < 0.06
    assert np.array_equal(seconds, table.seconds[4])


def test_one_epoch_for_60_and_the_best_three_in_full() -> None:
    table = smooth(200, 9)
    space = TableSpace(table)
    strategy = OneEpochEach(space, 0)
    first: dict[int, float] = {}
    full = []
    for event in replay(strategy, RecordedTrainer(table, space), 1):
        if event.epoch == 1:
            first[event.trial] = event.accuracy
        if event.epoch == 9:
            full.append(event.trial)
        if len(full) == KEPT:
            break
    assert len(first) == TRIED
    assert full == sorted(first, key=lambda trial: -first[trial])[:KEPT]


def test_the_target_is_the_median_best_of_30() -> None:
    table = smooth(300, 5)
    best = np.sort(table.accuracies.max(1))[::-1]
    # Of 30 out of 300 the best has rank k or better with probability 1 - C(300-k, 30)/C(300, 30).
    missing = np.cumprod([(270 - k) / (300 - k) for k in range(40)])
    median_rank = int((missing > 0.5).sum())
    assert score.target(table) == pytest.approx(best[median_rank], abs=0.01)


def test_scores_count_what_was_spent_until_the_target() -> None:
    found = score.score(TWO, lambda table, space, seed: Full(1.0, 3.0), 0, 1, aim=0.5)
    assert (found.cost, found.makespan, found.trials, found.reached) == (5.0, 5.0, 2, True)
    missed = score.score(TWO, lambda table, space, seed: Full(1.0), 0, 1, aim=0.5)
    assert not missed.reached
    assert found.trace == [(1.0, 0.1), (2.0, 0.2), (3.0, 0.3), (5.0, 0.5)]


def test_areas_are_scaled_over_the_table() -> None:
    area = score.area(TWO, lambda table, space, seed: Full(3.0), 0, 1, spend=6.0)
    # Costs 1 to 6, accuracies 0.1 to 0.6, so that the steps are (0.8, log 2 / log 6) and (1, 1).
    assert area == pytest.approx(0.8 * (1 - np.log(2) / np.log(6)))


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_reaches_what_can_be_reached(name) -> None:
    table = smooth(60, 9)
    for _, make in STRATEGIES[name]:
        found = score.score(table, make, 0, 4, aim=float(table.accuracies[:, -1].max()) - 0.02)
        assert found.reached


def test_a_table_comes_back_from_its_file(tmp_path: Path) -> None:
    table = smooth(4, 3)
    read = curve_table.read(write(table, tmp_path / "smooth.csv"))
    assert read.columns == table.columns and read.name == "smooth"
    for field in ("points", "accuracies", "seconds"):
        assert np.allclose(getattr(read, field), getattr(table, field))
    space = TableSpace(read)
    assert list(space.log) == [True, False, False]
    places = space.place(read.points)
    assert places.min() == 0 and places.max() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("seconds", "minutes"), "no column seconds"),
        (lambda text: text.replace("0,1,", "0,2,", 1), "epochs 1 to 3, each once"),
        (lambda text: text.replace("rate", "config_id2").replace("0,1,", "0,1,x", 1), "number"),
        (lambda text: "\x00", "cannot be read|no column"),
        (lambda text: "config_id,epoch,val_accuracy,seconds\n0,1,0.5,1\n", "no hyperparameter"),
        (lambda text: "config_id,epoch,x,val_accuracy,seconds\n0,1,2,1.5,1\n", "0 to 1"),
    ],
)
def test_a_bad_table_is_named_with_what_is_wrong(tmp_path: Path, change, message) -> None:
    path = write(smooth(4, 3), tmp_path / "bad.csv")
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=message) as raised:
        curve_table.read(path)
    assert str(path) in str(raised.value)

import csv
import dataclasses
import os
from pathlib import Path

import pytest
from tensorboard.backend.event_processing import event_accumulator

from models import checkpoint
from models.design import Design
from models.training.training_run import EpochResult
from search.record import checkpoint_retention, ledger
from search.record.recorder import Recorder
from search.record.state import fold
from search.record.tensorboard_events import Scalars
from search.storage.store import Folder
from search.terms.budget import Budget
from search.terms.plan import Plan

PLAN = Plan(lanes=2, workers_per_trial=2, cpus_per_worker=3, gpus_per_worker=0.5)
DESIGN = Design(kernels=((4,),), epochs=3)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, PLAN, 2.0, (1, 8, 8), 10, Scalars(tmp_path))


def result(epoch: int, accuracy: float, seconds: float = 3600.0, **fields) -> dict:
    plain = EpochResult(epoch, 0.5, 0.9, 0.6, accuracy, seconds, 10.0, 500.0, 1 << 30)
    more = {"precision": "bf16 contiguous", "device": "cuda"}
    return dataclasses.asdict(plain) | more | fields


def write_weights(run: Path, trial: int, epoch: int) -> Path:
    path = run / checkpoint_retention.checkpoint_name(trial, epoch)
    checkpoint.save({}, path)
    return path


def table(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open() as file:
        return list(csv.DictReader(file))


def test_the_ledger_folds_to_what_was_told(recorder: Recorder, tmp_path: Path) -> None:
    number = recorder.start(DESIGN, seed=7, name="x", by="tpe")
    recorder.epoch(number, result(1, 0.4), "group")
    recorder.end(number, reason="scheduler")
    recorder.close("end", "done")
    state = fold(ledger.read(tmp_path / "ledger"))
    trial = state.trials[number]
    assert trial == recorder.state.trials[number]
    assert (trial.state, trial.reason, trial.seed) == ("stopped", "scheduler", 7)
    assert (trial.precision, trial.device) == ("bf16 contiguous", "cuda")
    assert trial.costs["training"] == 3600
    assert state.ended == "end"


def test_tables_have_the_promised_columns_and_bills(recorder: Recorder, tmp_path: Path) -> None:
    number = recorder.start(DESIGN, seed=0)
    for epoch, accuracy in ((1, 0.4), (2, 0.6), (3, 0.5)):
        recorder.epoch(number, result(epoch, accuracy), "group")
    recorder.end(number)
    recorder.close("end", "")
    (row,) = table(tmp_path, "trials.csv")
    assert list(row)[:7] == ["trial", "name", "design_id", "seed", "state", "reason", "epochs"]
    assert (row["state"], row["epochs"], row["epochs_planned"]) == ("finished", "3", "3")
    assert (row["best_epoch"], row["val_accuracy"], row["kernels"]) == ("2", "0.6", "4")
    # Three worker-hours, each with half a GPU and three cores, at 2 a GPU-hour.
    assert (row["gpu_hours"], row["cpu_core_hours"], row["cost"]) == ("1.5", "9.0", "3.0")
    epochs = table(tmp_path, "epochs.csv")
    assert list(epochs[0]) == [
        "trial",
        "epoch",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "train_seconds",
        "eval_seconds",
        "images_per_second",
        "lane",
        "peak_memory_bytes",
        "val_balanced_accuracy",
    ]
    assert [row["val_accuracy"] for row in epochs] == ["0.4", "0.6", "0.5"]
    costs = {row["item"]: float(row["seconds"]) for row in table(tmp_path, "costs.csv")}
    assert costs["training"] == 10800 and costs["evaluation"] == 30
    (events,) = (tmp_path / "tensorboard").glob("0000-*")
    read = event_accumulator.EventAccumulator(str(events))
    read.Reload()
    told = [(event.step, round(event.value, 3)) for event in read.Scalars("val_accuracy")]
    assert told == [(1, 0.4), (2, 0.6), (3, 0.5)]


def test_lanes_are_worker_groups_by_their_first_word(recorder: Recorder, tmp_path: Path) -> None:
    first, second = recorder.start(DESIGN, 0), recorder.start(DESIGN, 1)
    recorder.epoch(second, result(1, 0.1), "one group")
    recorder.epoch(first, result(1, 0.1), "another")
    recorder.end(first)
    third = recorder.start(DESIGN, 2)
    recorder.epoch(third, result(1, 0.1), "another")
    recorder.restart(third, "the other was lost", 1)
    recorder.epoch(third, result(2, 0.1), "a new one")
    assert recorder.running() == [second, third]
    recorder.end(third)
    recorder.close("end", "")
    assert [row["lane"] for row in table(tmp_path, "epochs.csv")] == ["1", "0", "1", "2"]
    assert [row["restarts"] for row in table(tmp_path, "trials.csv")] == ["0", "0", "1"]


def test_what_is_told_after_the_end_is_not_recorded(recorder: Recorder) -> None:
    number = recorder.start(DESIGN, 0)
    recorder.end(number, "failed", "diverged")
    recorder.epoch(number, result(1, 0.9), "group")
    recorder.end(number)
    assert recorder.state.trials[number].epochs == []
    assert recorder.state.trials[number].reason == "diverged"


def test_divergence_has_no_result(recorder: Recorder, tmp_path: Path) -> None:
    number = recorder.start(DESIGN, 0)
    recorder.epoch(number, result(1, 0.1, train_loss=float("nan")), "group")
    recorder.end(number, "failed", "diverged")
    assert recorder.state.trials[number].best is None
    recorder.close("end", "")
    (row,) = table(tmp_path, "epochs.csv")
    assert (row["train_loss"], row["val_accuracy"], row["val_loss"]) == ("", "", "0.6")


def test_only_weights_that_may_be_needed_are_kept(recorder: Recorder, tmp_path: Path) -> None:
    number = recorder.start(DESIGN, 0)
    first, second, ahead = (write_weights(tmp_path, number, epoch) for epoch in (1, 2, 3))
    recorder.epoch(number, result(1, 0.6), "group")
    assert first.exists() and second.exists() and ahead.exists()
    recorder.epoch(number, result(2, 0.5), "group")
    assert first.exists() and second.exists() and ahead.exists()  # the best, the last, the next
    recorder.epoch(number, result(3, 0.4), "group")
    assert first.exists() and not second.exists() and ahead.exists()
    recorder.end(number, reason="scheduler")
    assert first.exists() and not ahead.exists()

    write_weights(tmp_path, number, 3)  # by a worker that was still at it
    checkpoint_retention.sweep(Folder(str(tmp_path)), recorder.state)
    assert first.exists() and not ahead.exists()

    worse = recorder.start(DESIGN, 1)
    poor = write_weights(tmp_path, worse, 1)
    recorder.epoch(worse, result(1, 0.3, seconds=9999.0), "group")
    recorder.end(worse, reason="scheduler")
    assert first.exists() and not poor.exists()


def test_nothing_is_deleted_before_what_makes_it_needless_is_on_the_disk(
    recorder: Recorder, tmp_path: Path, monkeypatch
) -> None:
    number = recorder.start(DESIGN, 0, to_epoch=3)
    files = [write_weights(tmp_path, number, epoch) for epoch in (1, 2, 3)]
    for epoch in (1, 2):
        recorder.epoch(number, result(epoch, 0.1 * epoch), "group")
    there = [None]

    def look(descriptor: int) -> None:
        there[:] = [path.exists() for path in files]

    monkeypatch.setattr(os, "fsync", look)
    with recorder.together():
        recorder.epoch(number, result(3, 0.5), "group")
        recorder.pause(number)
        assert there == [None]
    assert there == [False, True, True]  # two epochs back goes with each epoch
    assert [path.exists() for path in files] == [False, False, True]


def test_the_winner_of_a_tie_keeps_its_weights(recorder: Recorder, tmp_path: Path) -> None:
    wide = dataclasses.replace(DESIGN, kernels=((40,),))
    for design, seconds in ((wide, 5.0), (DESIGN, 6.0)):  # the smaller network took longer
        number = recorder.start(design, 0)
        write_weights(tmp_path, number, 1)
        recorder.epoch(number, result(1, 0.95, seconds=seconds), "group")
        recorder.end(number, reason="scheduler")
    winner = recorder.state.winner.trial
    assert winner == 1
    assert (tmp_path / checkpoint_retention.checkpoint_name(winner, 1)).exists()


def test_budget_counts_what_was_held(recorder: Recorder) -> None:
    number = recorder.start(DESIGN, 0)
    recorder.epoch(number, result(1, 0.5, seconds=7200.0), "group")
    recorder.end(number)
    # 7,200 + 10 worker-seconds with half a GPU each, a little over one GPU-hour, at 2 an hour.
    assert recorder.spent(Budget(gpu_hours=1)) == "GPU-hours"
    assert recorder.spent(Budget(gpu_hours=1.1)) == ""
    assert recorder.spent(Budget(money=2)) == "money"
    assert recorder.spent(Budget(seconds=0.0)) == "time"


def test_paused_trials_keep_what_they_go_on_from(recorder: Recorder, tmp_path: Path) -> None:
    good, bad, best = (recorder.start(DESIGN, seed, to_epoch=1) for seed in range(3))
    files = {n: write_weights(tmp_path, n, 1) for n in (good, bad, best)}
    for number, accuracy in ((good, 0.6), (bad, 0.2)):
        recorder.epoch(number, result(1, accuracy), "group")
        recorder.pause(number)
    assert files[good].exists() and files[bad].exists()
    recorder.give_up(bad, "given up")
    assert not files[bad].exists() and recorder.state.trials[bad].state == "stopped"
    recorder.epoch(best, result(1, 0.9, seconds=1.0), "group")
    recorder.end(best, reason="scheduler")
    assert files[best].exists() and files[good].exists()  # it waits, though it is outdone
    recorder.give_up(good, "given up")
    assert not files[good].exists() and files[best].exists()
    recorder.close("end", "")


def test_a_leg_is_booked_once(recorder: Recorder, tmp_path: Path) -> None:
    number = recorder.start(DESIGN, 0, to_epoch=1)
    recorder.epoch(number, result(1, 0.4, seconds=100.0), "group")
    recorder.pause(number)
    recorder.resume(number, 3)
    for epoch in (2, 3):
        recorder.epoch(number, result(epoch, 0.5, seconds=100.0), "group")
    recorder.end(number)
    costs = recorder.state.trials[number].costs
    assert (costs["training"], costs["evaluation"]) == (300.0, 30.0)
    states = [line["state"] for line in ledger.read(tmp_path / "ledger") if line["kind"] == "trial"]
    assert states == ["running", "paused", "running", "finished"]


def used_about(recorder: Recorder, gpu_seconds: float) -> bool:
    """Whether budgets know of so much, or a little more: the test itself takes its time."""
    limits = [Budget(gpu_hours=factor * gpu_seconds / 3600) for factor in (1, 1.3)]
    return [recorder.spent(limit) for limit in limits] == ["GPU-hours", ""]


def test_a_run_that_goes_on_counts_from_where_it_was(recorder: Recorder, tmp_path: Path) -> None:
    number = recorder.start(DESIGN, 0)
    recorder.epoch(number, result(1, 0.4, seconds=50.0), "group")  # and the process is killed
    known = fold(ledger.read(tmp_path / "ledger"))
    again = Recorder(tmp_path, PLAN, 2.0, (1, 8, 8), 10, Scalars(tmp_path), (), known)
    # 60 worker-seconds until then, and as many later, each with half a GPU.
    assert used_about(again, 60 * 0.5)
    again.go_on(number)
    again.epoch(number, result(2, 0.5, seconds=50.0), "another group")
    assert used_about(again, 120 * 0.5)
    again.end(number, reason="budget")
    assert used_about(again, 120 * 0.5)
    trial = again.state.trials[number]
    assert trial.costs["training"] == 100.0
    assert [line["lane"] for line in trial.epochs] == [0, 1]
    assert again.start(DESIGN, 1) == number + 1
    again.close("end", "")

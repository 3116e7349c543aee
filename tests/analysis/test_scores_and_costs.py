"""Confusion, class scores, the three kinds of cost, importances."""

import json
import random

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from analysis.tables.cost_kinds import cost_table
from analysis.tables.importance import importance_table, importances
from analysis.tables.node_table import node_table
from analysis.tables.prediction_quality import class_table, confused_pairs_table, confusion_table
from models.design import Design
from models.training.scoring import classification_metrics
from search.record import state
from search.record.state import SearchState
from search.record.study_log import StudyLog
from search.space.design_space import NetworkSpace
from search.terms.accounts import Share
from tests.search.hand_made import end, epoch, trial


@pytest.fixture
def metrics():
    import numpy as np

    labels = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    predictions = np.array([0, 0, 1, 2, 1, 0, 0, 2, 2, 2])
    return classification_metrics(labels, predictions, ["cat", "dog", "frog"])


def test_the_confusion_matrix_has_actual_rows(metrics):
    frame = confusion_table(metrics).frame
    assert list(frame.columns)[1:] == ["cat", "dog", "frog"]
    assert frame.iloc[0].tolist() == ["cat", 2, 1, 1]
    assert frame.iloc[1].tolist() == ["dog", 2, 1, 0]


def test_pairs_are_unordered_and_show_both_directions(metrics):
    frame = confused_pairs_table(metrics).frame
    assert frame.iloc[0].tolist()[:5] == ["cat", "dog", 1, 2, 3]
    assert frame["percent_of_mistakes"].tolist() == pytest.approx([75.0, 25.0])
    assert len(frame) == 2  # dog and frog are never confused


def test_classes_have_macro_and_weighted_means(metrics):
    frame = class_table(metrics).frame.set_index("class")
    assert frame.loc["cat", ["precision", "recall"]].tolist() == pytest.approx([0.5, 0.5])
    assert frame.loc["frog", ["precision", "recall"]].tolist() == pytest.approx([0.75, 1.0])
    assert frame.loc["macro mean", "recall"] == pytest.approx((0.5 + 1 / 3 + 1) / 3)
    assert frame.loc["weighted mean", "recall"] == pytest.approx(0.6)
    assert frame.loc["macro mean", "support"] == 10


def test_a_class_may_be_called_like_a_column():
    import numpy as np

    names = ["class", "support"]
    metrics = classification_metrics(np.array([0, 1]), np.array([0, 1]), names)
    assert confusion_table(metrics).frame.shape == (2, 3)
    assert class_table(metrics).frame["class"].tolist()[:2] == names


def test_three_kinds_of_cost_are_kept_apart(make_run):
    run = make_run()
    run.record(price=3600.0)
    run.trial(0, [0.5, 0.7, 0.6], seconds=100.0)
    run.trial(1, [0.4], seconds=10.0, state="stopped")
    found = run.findings()
    frame = cost_table(found.run, found.best, found.epoch, 0.001).frame.set_index("what")
    assert frame.loc["search: training", "seconds"] == 310.0
    assert frame.loc["search: evaluation", "seconds"] == 2.0
    assert frame.loc["search: overhead", "seconds"] == 1.0
    assert frame["seconds"].isna()["search: lost"]  # not told apart by this ledger
    assert frame.loc["search: all", "seconds"] == 313.0
    assert frame.loc["search: all", "cost"] == pytest.approx(313.0)
    assert frame.loc["training the winner once", "seconds"] == 200.0  # to its best epoch
    assert frame.loc["one prediction", "seconds"] == 0.001


def test_each_session_of_a_run_costs_what_its_workers_held(make_run):
    run = make_run()
    run.record(price=2.0)
    run.trial(0, [0.5], seconds=3600.0, gpus=0.25, state="paused", design=Design(epochs=2))
    run.write("trial", trial=0, state="running", workers=1, cpus_per_worker=2, gpus_per_worker=1.0)
    run.epoch(0, 2, 0.7, 0.7, 3600.0)
    for item, seconds in (("training", 3600.0), ("evaluation", 0.5), ("lost", 1800.0)):
        share = {"workers": 1, "cpus_per_worker": 2, "gpus_per_worker": 1.0}
        run.write("cost", trial=0, item=item, seconds=seconds, **share)
    run.write("trial", trial=0, state="finished")
    found = run.findings()
    assert found.points["gpu_hours"].tolist() == pytest.approx([0.25, 1.25])
    assert found.points["cpu_core_hours"].tolist() == pytest.approx([1.0, 3.0])
    frame = cost_table(found.run, found.best, found.epoch, None).frame.set_index("what")
    assert frame.loc["search: training", "gpu_hours"] == pytest.approx(1.25)
    assert frame.loc["search: lost", ["gpu_hours", "cost"]].tolist() == pytest.approx([0.5, 1.0])
    assert frame.loc["training the winner once", "cost"] == pytest.approx(2.5)
    assert run.findings().run.state.held().keys() == {Share(1, 1, 0.25), Share(1, 2, 1.0)}


def test_cost_that_was_not_measured_is_empty(make_run):
    run = make_run()
    frame = cost_table(run.findings().run, None, None, None).frame
    assert frame["seconds"].isna().all()


def study_of(run, trials):
    """A study in which trial n has learning_rate n/100 and, if odd, a momentum."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(run.folder / "study.log")))
    study = optuna.create_study(
        storage=storage,
        sampler=optuna.samplers.RandomSampler(seed=0),
        study_name="kneepoint",
        direction="maximize",
    )
    for number in range(trials):
        asked = study.ask()
        asked.set_user_attr("trial", number)
        rate = asked.suggest_float("learning_rate", 0.0, 1.0)
        if number % 2:
            asked.suggest_float("momentum", 0.5, 0.99)
        run.trial(number, [round(rate, 6) + 1e-6], seconds=1.0 + (number % 3))
        stopped = number % 4 == 0
        study.tell(
            asked,
            None if stopped else rate,
            state=TrialState.PRUNED if stopped else TrialState.COMPLETE,
        )


def test_importances_take_conditional_parameters(make_run):
    run = make_run()
    study_of(run, 24)
    found = importances(run.folder / "study.log", run.findings().run.state)
    assert found.trials == 24 and found.reason == ""
    assert set(found.frame["parameter"]) == {"learning_rate", "momentum"}
    assert found.frame["parameter"].iloc[0] == "learning_rate"
    assert found.frame["accuracy"].sum() == pytest.approx(1.0)
    assert "From 24 trials" in importance_table(found).rule


def divergent(run, reason, trials=60, seed=3):
    """Designs that fail where their learning rate is in the upper half of its scale, and of which
    the others differ by chance alone; with what the ledger says."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    log = StudyLog(run.folder / "study.log", NetworkSpace(3, 8, 8))
    draws = random.Random(seed)
    found = SearchState()
    for number in range(trials):
        rate, momentum = draws.random(), draws.uniform(0.8, 0.99)
        design = Design(
            kernels=(),
            optimizer="momentum",
            learning_rate=1e-3 * 300**rate,
            momentum=momentum,
            epochs=3,
        )
        lines = [trial(number, design, design_id=design.id)]
        if rate < 0.5:
            accuracy = draws.uniform(0.6, 0.7)
            lines += [epoch(number, n, accuracy) for n in (1, 2, 3)] + [end(number)]
        elif reason == "out_of_memory":
            lines += [end(number, "failed", reason)]
        else:
            lines += [epoch(number, 1, 0.9), epoch(number, 2, None), end(number, "failed", reason)]
        for line in lines:
            state.apply(found, line)
            log(line, found)
    return importances(run.folder / "study.log", found), found


@pytest.mark.parametrize("reason", ["diverged", "out_of_memory"])
def test_designs_that_fail_by_themselves_are_the_worst(make_run, reason):
    found, known = divergent(make_run(), reason)
    assert found.trials == 60 and found.epoch == 3
    assert found.failed == sum(each.state == "failed" for each in known.trials.values()) > 20
    shares = found.frame.set_index("parameter")["accuracy"]
    assert shares["sgd_learning_rate"] > 0.9
    assert set(shares.index) == {"sgd_learning_rate", "momentum"}  # what never varied has none
    assert "diverged or ran out of memory count as the worst" in importance_table(found).rule


def test_what_a_machine_ended_tells_nothing_of_its_design(make_run):
    found, known = divergent(make_run(), "lost 3 lanes in a row")
    sound = sum(each.state == "finished" for each in known.trials.values())
    assert (found.trials, found.failed) == (sound, 0)
    shares = found.frame.set_index("parameter")["accuracy"]
    assert shares["sgd_learning_rate"] < 0.6  # among those that did not fail it decides nothing
    assert "count as the worst" not in importance_table(found).rule


@pytest.mark.parametrize(("trials", "told"), [(16, True), (10, False)])
def test_a_few_results_are_needed_beside_failures(make_run, trials, told):
    found, known = divergent(make_run(), "diverged", trials)
    assert sum(each.state == "finished" for each in known.trials.values()) < 10
    assert found.trials == trials and bool(found.reason) == (not told)
    assert told or "of at least 5 with a result" in found.reason


def test_too_few_trials_say_so(make_run):
    run = make_run()
    study_of(run, 9)
    found = importances(run.folder / "study.log", run.findings().run.state)
    assert found.frame.empty and found.reason.startswith("too few trials to tell: 9 of")


@pytest.mark.parametrize("content", [None, "not a journal\n"])
def test_a_missing_or_damaged_study_does_not_stop_the_report(make_run, content):
    run = make_run()
    run.trial(0, [0.5])
    if content is not None:
        (run.folder / "study.log").write_text(content)
    found = importances(run.folder / "study.log", run.findings().run.state)
    assert found.frame.empty and found.reason


def test_nodes_of_a_cluster_and_their_idle_hours(make_run) -> None:
    run = make_run("nodes")
    assert node_table(run.findings().run) is None
    line = {"kind": "gpu-spot", "cpus": 4.0, "gpus": 1.0, "since": 1.0}
    (run.folder / "costs.jsonl").write_text(
        "\n".join(
            json.dumps(
                line | {"node": node, "address": node, "seconds": total, "idle_seconds": idle}
            )
            for node, total, idle in (("a", 10.0, 5.0), ("b", 7200.0, 1800.0), ("a", 3600.0, 0.0))
        )
    )
    table = node_table(run.findings().run)
    assert table is not None
    rows = table.frame[["address", "hours", "idle_hours", "idle_share"]].to_numpy().tolist()
    assert rows == [["b", 2.0, 0.5, 0.25], ["a", 1.0, 0.0, 0.0]]

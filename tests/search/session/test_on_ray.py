"""The commands on a real Ray cluster of two cores."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from models import checkpoint
from models.data.dataset import Dataset, load
from models.data.images import Subset
from models.data.selection import select, subsets
from models.design import from_dict
from models.network import build
from models.training.device import FIXED
from models.training.training_run import Training
from models.transcript import TRANSCRIPT
from search.record import ledger, state
from search.run import main
from tests.search.cli.test_bad_input import refused
from tests.search.processes import left_of, wait_for
from tests.search.trainings import Broken, training_by

pytestmark = pytest.mark.timeout(300)
DIGITS = ["--dataset", "digits", "--precision", "fp32"]


def table(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open() as file:
        return list(csv.DictReader(file))


def test_a_search_ends_with_a_winner(ray_cluster: str, tmp_path: Path, capsys) -> None:
    words = [*DIGITS, "--trials", "5", "--max-epochs", "3", "--max-parameters", "200000"]
    words += ["--axes", "transcript"]
    assert main([*words, "--out", str(tmp_path), "--name", "one", "--price", "3"]) == 0
    run = tmp_path / "one"
    said = capsys.readouterr().out
    assert "2 trials at a time, each with 1 worker of 1 CPU core" in said
    assert "Winner: trial" in said

    found = state.load(run)
    assert found.ended == "end" and len(found.trials) == 5
    assert {trial.state for trial in found.trials.values()} == {"finished", "paused"}
    assert all(trial.parameters <= 200_000 for trial in found.trials.values())
    # cnn-3 has 235,890 parameters here: over the limit, so it was never trained.
    assert found.refused[0]["design"]["kernels"] == [[50], [100], [200]]
    assert found.trials[0].name == "cnn-1"
    assert set(found.trials[0].costs) == {"training", "evaluation", "lost", "overhead"}

    info = json.loads((run / "run.json").read_text())
    assert (info["state"], info["command"], info["evaluated_on"]) == (
        "finished",
        "search",
        "validation",
    )
    assert [int(row["trial"]) for row in table(run, "trials.csv")] == [0, 1, 2, 3, 4]
    assert len(table(run, "epochs.csv")) == sum(len(t.epochs) for t in found.trials.values())
    assert (run / "study.log").stat().st_size and (run / "tensorboard").is_dir()
    check_winner(run, found)


def check_winner(run: Path, found: state.SearchState) -> None:
    """The weights give the accuracy that the ledger tells, and the test score that is written."""
    design = json.loads((run / "winner/design.json").read_text())
    winner = found.winner
    assert (design["trial"], design["epoch"]) == (winner.trial, winner.best["epoch"])
    made = from_dict(design["design"])
    assert made == winner.design
    network = build(made, tuple(design["shape"]), 10)
    network.load_state_dict(checkpoint.load(run / "winner/weights.pt"))
    metrics = json.loads((run / "winner/metrics.json").read_text())
    from models.data.dataset import Source, prepare
    from models.training.scoring import predict

    dataset = dataclasses.replace(
        prepare(Source("digits")),
        mean=tuple(design["mean"]),
        deviation=tuple(design["deviation"]),
    )
    test = load(dataset, "test")
    predictions = predict(network, test, made, dataset, torch.device("cpu"))
    assert metrics["accuracy"] == (predictions == test.labels.numpy()).mean()
    assert metrics["part"] == "test" and metrics["images"] == 360
    samples = np.load(run / "winner/samples.npz", allow_pickle=False)
    assert samples["labels"].tolist() == list(range(10))
    told = onnx.load(str(run / "winner/model.onnx")).metadata_props
    facts = {each.key: each.value for each in told}
    assert float(facts["test_accuracy"]) == metrics["accuracy"]
    assert float(facts["val_balanced_accuracy"]) == winner.best["val_balanced_accuracy"]
    assert facts["trial"] == str(winner.trial)


def test_two_workers_share_each_trial(
    ray_cluster: str, digits: Dataset, tmp_path: Path, capsys
) -> None:
    """The transcript's designs with two workers each: the same results as one process has that
    takes each batch in two shares; and in their first epoch, before Adam has made much of what was
    rounded otherwise, those of one that takes it whole."""
    words = ["transcript", "ann-3", "cnn-3", *DIGITS, "--max-epochs", "2"]
    words += ["--workers-per-trial", "2", "--out", str(tmp_path), "--name", "two"]
    assert main(words) == 0
    found = state.load(tmp_path / "two")
    assert [trial.name for trial in found.trials.values()] == ["ann-3", "cnn-3"]
    train, test = subsets(digits, select(digits, None, "test"))
    assert (len(train), len(test)) == (1437, 360)
    for trial in found.trials.values():
        assert (trial.state, trial.workers) == ("finished", 2)
        for line, expected in zip(
            trial.epochs, alone(trial.name, digits, train, test, InTwoShares), strict=True
        ):
            assert line["val_loss"] == pytest.approx(expected.val_loss, rel=1e-6)
            assert line["val_accuracy"] == pytest.approx(expected.val_accuracy, abs=1e-9)
        whole = alone(trial.name, digits, train, test)[0]
        assert trial.epochs[0]["val_loss"] == pytest.approx(whole.val_loss, rel=1e-3)
        assert trial.epochs[0]["val_accuracy"] == pytest.approx(whole.val_accuracy, abs=0.01)
    assert list((tmp_path / "two/report/tables").glob("transcript.*"))


class InTwoShares(Training):
    """A step adds up the gradients of every second image, and of the others."""

    def step(self, images: Tensor, labels: Tensor) -> None:
        self._optimizer.zero_grad()
        for share in (slice(0, None, 2), slice(1, None, 2)):
            logits = self._forward(self.network, images[share])
            (cross_entropy(logits, labels[share], reduction="sum") / len(labels)).backward()
        self._optimizer.step()


def alone(
    name: str, data: Dataset, train: Subset, test: Subset, kind: type[Training] = Training
) -> list:
    design = dataclasses.replace(TRANSCRIPT[name], epochs=2)
    torch.set_num_threads(1)  # as each worker has
    training = kind(
        design, data, train, test, seed=0, device=torch.device("cpu"), precision=FIXED["fp32"]
    )
    return [training.run_epoch() for _ in range(2)]


def test_more_than_the_cluster_has_is_refused(ray_cluster: str, tmp_path: Path, capsys) -> None:
    out = ["--out", str(tmp_path)]
    said = refused([*DIGITS, *out, "--workers-per-trial", "3"], capsys)
    assert "holds 2 such: it has 2 CPUs and 0 GPUs" in said
    assert "1 GPU" in refused([*DIGITS, *out, "--gpus-per-worker", "1"], capsys)
    assert "no GPU" in refused([*DIGITS, *out, "--device", "cuda"], capsys)
    assert "no GPU" in refused([*DIGITS, *out, "--budget", "2gpuh"], capsys)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "taken").mkdir()
    assert "exists already" in refused([*DIGITS, *out, "--name", "taken"], capsys)
    assert "letters" in refused([*DIGITS, *out, "--name", "../up"], capsys)


def test_time_ends_a_search(ray_cluster: str, tmp_path: Path, capsys) -> None:
    words = [*DIGITS, "--budget", "15s", "--max-epochs", "100000", "--scheduler", "none"]
    assert main([*words, "--out", str(tmp_path), "--name", "short"]) in (0, 1)
    assert "the budget of time is used up" in capsys.readouterr().out
    found = state.load(tmp_path / "short")
    reasons = {(trial.state, trial.reason) for trial in found.trials.values()}
    assert reasons == {("paused", "the budget of time is used up")}


def test_a_search_whose_lanes_all_fail_stops_and_can_go_on(
    ray_cluster: str, tmp_path: Path, capsys
) -> None:
    """It says why, blames no design, and when that is mended nothing is missing."""
    run = tmp_path / "bad"
    words = [*DIGITS, "--train-images", "200", "--max-epochs", "2", "--out", str(tmp_path)]
    words += ["--trials", "4"]
    with training_by(Broken):
        assert main([*words, "--name", "bad"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "CPU, 1 thread fails again and again, and is closed" in said
    assert (
        "The search stopped: no lane works any more, the last: RuntimeError: no such luck" in said
    )
    assert "there is no winner" in said and "go on with --resume" in said
    found = state.load(run)
    assert {trial.state for trial in found.trials.values()} == {"paused"}
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"
    assert main(["--out", str(tmp_path), "--resume", "bad"]) == 0
    found = state.load(run)
    assert len(found.trials) == 4 and found.ended == "end" and found.winner is not None
    assert all(trial.last_epoch >= 1 for trial in found.trials.values())


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_ctrl_c_stops_softly(ray_cluster: str, tmp_path: Path) -> None:
    """As a terminal does it, to the whole process group, of a command with a Ray of its own.

    A second cluster runs beside it: neither may take the other's trials for its own.
    """
    words = [sys.executable, "-m", "search.run", *DIGITS, "--max-epochs", "100000"]
    words += ["--scheduler", "none", "--out", str(tmp_path), "--name", "cut"]
    alone = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    command = subprocess.Popen(
        [*words, "--address", "local"],
        stdout=subprocess.PIPE,
        text=True,
        env=alone,
        start_new_session=True,
    )
    run = tmp_path / "cut"
    try:
        wait_for(lambda: len({e["trial"] for e in epochs(run)}) == 2)
        time.sleep(10)
        before = len(epochs(run))
        time.sleep(5)
        assert len(epochs(run)) > before, "the trials do not go on"
        os.killpg(command.pid, signal.SIGINT)
        said, _ = command.communicate(timeout=120)
    finally:
        command.kill()
    assert command.returncode == 0, said
    assert "Stopping" in said and "Leads so far: trial" in said
    found = state.load(run)
    assert found.ended == "interrupted"
    assert {(t.state, t.reason) for t in found.trials.values()} == {("paused", "interrupted")}
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"
    assert (run / "winner/weights.pt").exists()
    assert not (run / "winner/metrics.json").exists()  # the test images stay closed
    # The last of both, to go on from, and the best of the front.
    assert len(list((run / "checkpoints").rglob("*.pt"))) <= 4
    wait_for(lambda: not left_of(command.pid), 30)


def epochs(run: Path) -> list[dict]:
    return [line for line in ledger.read(run / "ledger") if line["kind"] == "epoch"]

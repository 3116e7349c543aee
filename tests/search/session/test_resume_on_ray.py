"""Going on after a crash, on a real Ray cluster: decisions, epochs, and what may be asked."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models.data.dataset import Dataset, Source, prepare
from models.data.selection import select
from models.design import from_dict
from search.record import ledger, state
from search.record.state import SearchState
from search.record.strategy_follower import Follower
from search.run import main
from search.space.design_space import NetworkSpace
from search.space.portfolio import portfolio, startup
from search.space.prior import PriorSuggest
from search.strategy.search_strategy import SearchStrategy
from search.strategy.settings import StrategySettings
from search.terms import time_left
from search.terms.actions import Resume, Start
from tests.search.alone import check_results
from tests.search.processes import wait_for
from tests.search.session.test_on_ray import refused

pytestmark = pytest.mark.timeout(300)
DIGITS = ["--dataset", "digits", "--precision", "fp32"]


def check_decisions(run: Path, settings: StrategySettings, epochs: int, trials: int) -> int:
    """Tells a strategy that never saw the search what its ledger says, and asks it wherever the
    search decided: each time it answers as the search did. How often that was."""
    images = len(select(prepare(Source(dataset="digits")), None, "validation").train)
    space = NetworkSpace(epochs, 8, 8, frozenset({"recipe"}), 1, 10, images)
    known = portfolio(space)
    settings = replace(settings, startup=startup(len(known)), plans_time=True)
    strategy = SearchStrategy(space, settings, known, draw=PriorSuggest)
    follow, decided = Follower(strategy), 0
    last = len(state.load(run).trials)
    lines = list(ledger.read(run / "ledger"))
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        if line["kind"] == "decision" and line["action"] in ("start", "resume"):
            begun = len(strategy.history.trials)
            left = time_left.of_fields(line)
            answer = strategy.next(new=begun < trials, left=left)
            if begun == last and line["action"] == "resume" and not _is(answer, line):
                answer = strategy.next(new=False, left=left)  # of the session without new trials
            decided += 1
            if line["action"] == "start":
                assert isinstance(answer, Start) and after is not None
                assert answer.design == from_dict(after["design"]), line
                assert (answer.to_epoch, answer.by) == (after["to_epoch"], line["by"])
            else:
                assert isinstance(answer, Resume)
                assert (answer.trial, answer.to_epoch) == (line["trial"], line["to_epoch"])
        follow(line, SearchState())
    return decided


def _is(answer: object, line: ledger.Line) -> bool:
    found = isinstance(answer, Resume) and (answer.trial, answer.to_epoch)
    return found == (line["trial"], line["to_epoch"])


def check_epochs(run: Path) -> None:
    """No epoch of any trial is missing, and none is there twice."""
    pairs = [(e["trial"], e["epoch"]) for e in ledger.read(run / "ledger") if e["kind"] == "epoch"]
    assert len(set(pairs)) == len(pairs)
    for trial in {trial for trial, _ in pairs}:
        epochs = [epoch for number, epoch in pairs if number == trial]
        assert epochs == list(range(1, len(epochs) + 1))


def test_a_search_decides_as_its_strategy_does(
    ray_cluster: str, tmp_path: Path, digits: Dataset
) -> None:
    """And its lanes train as a process that trains one design alone."""
    words = [*DIGITS, "--trials", "24", "--max-epochs", "9", "--seed", "5"]
    assert main([*words, "--out", str(tmp_path), "--name", "whole"]) == 0
    run = tmp_path / "whole"
    found = state.load(run)
    assert len(found.trials) == 24
    decided = check_decisions(run, StrategySettings(seed=5), 9, 24)
    assert decided == found.decisions > 30
    check_epochs(run)
    assert {line["lane"] for trial in found.trials.values() for line in trial.epochs} == {0, 1}
    check_results(found, digits)


@pytest.mark.slow
def test_a_finished_search_goes_on_for_a_further_budget(
    ray_cluster: str, tmp_path: Path, capsys
) -> None:
    out = ["--out", str(tmp_path)]
    words = [*DIGITS, *out, "--trials", "3", "--max-epochs", "3", "--name", "short"]
    assert main(words) == 0
    run = tmp_path / "short"
    before = len(list(ledger.read(run / "ledger")))
    capsys.readouterr()
    assert "--extend" in refused([*out, "--resume", "short"], capsys)
    assert "--seed belongs to the run" in refused(
        [*out, "--resume", "short", "--extend", "--seed", "3"], capsys
    )
    assert "no run nowhere" in refused([*out, "--resume", "nowhere"], capsys)
    assert len(list(ledger.read(run / "ledger"))) == before
    assert main([*out, "--resume", "short", "--extend", "--trials", "2"]) == 0
    said = capsys.readouterr().out
    assert "goes on after 3 trials" in said
    found = state.load(run)
    assert len(found.trials) == 5 and found.ended == "end"
    check_epochs(run)
    info = json.loads((run / "run.json").read_text())
    assert info["state"] == "finished" and len(info["resumed"]) == 1
    assert info["settings"]["max_epochs"] == 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_five_random_moments_it_ends_as_if_it_had_not_been(
    ray_cluster: str, tmp_path: Path
) -> None:
    """kill -9 of the driver in mid-search, and --resume, five times."""
    moment = random.Random(0)
    out = ["--out", str(tmp_path)]
    begin = [*DIGITS, *out, "--trials", "96", "--max-epochs", "27", "--name", "killed"]
    run = tmp_path / "killed"

    def epochs() -> int:
        return sum(line["kind"] == "epoch" for line in ledger.read(run / "ledger"))

    for kill in range(5):
        words = begin if kill == 0 else [*out, "--resume", "killed"]
        command = subprocess.Popen([sys.executable, "-m", "search.run", *words])
        try:
            told = epochs() if kill else 0
            wait_for(lambda told=told: epochs() > told, 120)
            time.sleep(moment.uniform(0, 4))
            assert command.poll() is None, "it ended before it could be killed"
        finally:
            command.send_signal(signal.SIGKILL)
            command.wait()
    assert main([*out, "--resume", "killed"]) == 0
    check_epochs(run)
    check_decisions(run, StrategySettings(seed=0), 27, 96)
    found = state.load(run)
    assert len(found.trials) == 96 and found.ended == "end"
    assert {trial.state for trial in found.trials.values()} == {"finished", "paused"}
    at_rungs = {1, 3, 9, 27}
    assert all(trial.last_epoch in at_rungs for trial in found.trials.values())
    assert (run / "winner/metrics.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_lost_head_s_run_goes_on_from_its_storage(ray_cluster: str, tmp_path: Path) -> None:
    """The driver is killed and its folder gone: what lies in the storage is enough."""
    storage = ["--storage", str(tmp_path / "storage")]
    begin = [*DIGITS, *storage, "--trials", "60", "--max-epochs", "27", "--name", "lost"]
    here, there = tmp_path / "here", tmp_path / "there"
    copy = tmp_path / "storage/lost"

    def count(run: Path) -> int:
        return sum(line["kind"] == "epoch" for line in ledger.read(run / "ledger"))

    words = [sys.executable, "-m", "search.run", *begin, "--out", str(here)]
    command = subprocess.Popen(words)
    try:
        wait_for(lambda: (copy / "ledger").exists() and count(copy) > 0, 120)
        time.sleep(3)
        assert command.poll() is None, "it ended before it could be killed"
    finally:
        command.send_signal(signal.SIGKILL)
        command.wait()
    told, copied = count(here / "lost"), count(copy)
    assert 0 < copied <= told
    assert not (here / "lost/checkpoints").exists()
    shutil.rmtree(here)
    assert main(["--out", str(there), "--resume", "lost", *storage]) == 0
    run = there / "lost"
    check_epochs(run)
    check_decisions(run, StrategySettings(seed=0), 27, 60)
    found = state.load(run)
    assert len(found.trials) == 60 and found.ended == "end"
    assert (run / "winner/metrics.json").exists()
    # The copy is complete, and holds the checkpoints of the front and of what waits alone.
    assert count(copy) == count(run)
    assert (copy / "winner/metrics.json").read_bytes() == (run / "winner/metrics.json").read_bytes()
    kept = {int(path.parent.name) for path in (copy / "checkpoints").rglob("*.pt")}
    assert kept <= {t.trial for t in found.trials.values() if t.state == "paused"} | {
        t.trial for t in found.trials.values() if t.best
    }


def test_storage_that_cannot_be_written_is_refused_before_anything_is(
    ray_cluster: str, tmp_path: Path, capsys
) -> None:
    (tmp_path / "file").write_text("in the way")
    words = [*DIGITS, "--out", str(tmp_path / "out"), "--storage", str(tmp_path / "file/x")]
    assert "cannot be written from this machine" in refused(words, capsys)
    assert not (tmp_path / "out").exists()
    assert "cannot be opened" in refused([*words[:-1], "nothing://x"], capsys)
    (tmp_path / "store/taken/ledger").mkdir(parents=True)
    (tmp_path / "store/taken/ledger/000000.jsonl").write_text("")
    taken = [*words[:-1], str(tmp_path / "store"), "--name", "taken"]
    assert "holds a run taken already" in refused(taken, capsys)
    assert not (tmp_path / "out/taken").exists()

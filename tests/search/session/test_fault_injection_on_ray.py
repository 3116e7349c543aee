"""Faults of machines at random moments of searches, on a real Ray cluster: no design is blamed."""

import os
import random
import threading
import time
from pathlib import Path

import pytest

from search.record import ledger, state
from search.run import main
from search.strategy.settings import StrategySettings
from tests.search.alone import check_results
from tests.search.injected import TRIES, Faults, injected
from tests.search.session.test_resume_on_ray import check_decisions

ROUNDS = int(os.environ.get("KNEEPOINT_FAULT_ROUNDS", "12"))
"""Of the long form."""
EPOCHS = 9
OPTIONS = ["--dataset", "digits", "--precision", "fp32", "--max-epochs", str(EPOCHS)]
STOPS = {"full": "No space left on device", "ledger": "No space left on device"}
"""Faults that stop a search, and what is said then."""
KINDS = ("read", "load", "step", "write", "fsync", "connection", "kill", "kill", "full", "ledger")


class Injector(threading.Thread):
    """Puts one fault after another into a search that runs, each at a random moment."""

    def __init__(self, run: Path, faults: Faults, kinds: list[str], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._run_folder, self._faults = run, faults
        self._kinds, self._chance = kinds, chance
        self.over = threading.Event()
        self.problem = ""

    def run(self) -> None:
        while self._kinds and not self.over.is_set():
            told = self._epochs()
            self._holds(lambda told=told: self._epochs() > told, 90)
            self.over.wait(self._chance.uniform(0, 2))
            kind = self._kinds[0]
            self._faults.put(kind, self._times(kind))
            met = self._holds(lambda kind=kind: not self._faults.left(kind), 60)
            if kind in STOPS:
                self.over.wait(60)
                return
            if not met:
                self.problem = f"nothing met {kind}"
                self._faults.put("ledger")
                return
            self._kinds.pop(0)

    def _times(self, kind: str) -> int:
        """A storage fails once, which is waited for, or as long as a worker tries."""
        if kind in ("read", "write", "fsync"):
            return self._chance.choice([1, TRIES])
        return 2 * TRIES if kind == "full" else 1

    def _epochs(self) -> int:
        lines = ledger.read(self._run_folder / "ledger")
        return sum(line["kind"] == "epoch" for line in lines)

    def _holds(self, condition, seconds: float) -> bool:
        """Waits until it does; False where it is over before, or in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.over.is_set():
            if condition():
                return True
            time.sleep(0.05)
        return condition()


def storm(folder: Path, kinds: list[str], capsys) -> state.SearchState:
    """A search with faults of these kinds, each in its turn, resumed wherever one stops it, as the
    last does; then it is given no further trial, and ends."""
    run, faults, chance = folder / "storm", Faults(folder / "faults"), random.Random(0)
    left, out = list(kinds), ["--out", str(folder)]
    words = [*OPTIONS, *out, "--name", "storm", "--trials", "100000"]
    with injected(faults):
        while left:
            injector = Injector(run, faults, left, chance)
            injector.start()
            status = main(words)
            injector.over.set()
            injector.join()
            said = capsys.readouterr().out
            assert not injector.problem, injector.problem
            assert status == 1 and left[0] in STOPS, (status, left[:1], said[-1000:])
            assert "The search stopped: " in said and STOPS[left.pop(0)] in said
            check(state.load(run))
            faults.clear()
            words = [*out, "--resume", "storm"]
        trials = str(len(state.load(run).trials))
        assert main([*words, "--trials", trials]) == 0
    found = state.load(run)
    assert found.ended == "end" and (run / "winner/metrics.json").exists()
    check(found)
    return found


def check(found: state.SearchState) -> None:
    """No trial failed, and no accuracy is there that is none."""
    assert {trial.state for trial in found.trials.values()} <= {"running", "paused", "finished"}
    epochs = [line for trial in found.trials.values() for line in trial.epochs]
    assert all(line["val_accuracy"] > 0 for line in epochs)


def decisions_of(run: Path) -> int:
    return check_decisions(run, StrategySettings(), EPOCHS, 100_000)


@pytest.mark.timeout(300)
def test_three_faults_blame_no_design(ray_cluster: str, tmp_path: Path, capsys, digits) -> None:
    found = storm(tmp_path, ["step", "load", "full"], capsys)
    assert decisions_of(tmp_path / "storm") > 3
    assert sum(trial.restarts for trial in found.trials.values()) == 2
    check_results(found, digits)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_faults_at_random_moments_blame_no_design(
    ray_cluster: str, tmp_path: Path, capsys, digits
) -> None:
    chance = random.Random(1)
    kinds = [*KINDS, *chance.choices(KINDS, k=max(0, ROUNDS - len(KINDS)))][: ROUNDS - 1]
    chance.shuffle(kinds)
    found = storm(tmp_path, [*kinds, "full"], capsys)
    assert decisions_of(tmp_path / "storm") > ROUNDS
    # One that strikes just before the search stops is not told any more.
    stops = sum(map(kinds.count, STOPS))
    told = sum(trial.restarts for trial in found.trials.values())
    assert told >= sum(map(kinds.count, ("step", "connection", "kill", "load"))) - stops
    check_results(found, digits)

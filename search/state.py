"""The state of a search: a fold over its ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.design import Design, from_dict
from search import ledger

TrialState = Literal["running", "paused", "finished", "stopped", "failed"]

DIVERGED, OUT_OF_MEMORY = "diverged", "out_of_memory"
OWN_ENDS = (DIVERGED, OUT_OF_MEMORY)
"""Reasons of failed trials that are their designs' own: results, from which is learned."""


@dataclass
class Trial:
    """All that a ledger says of one trial."""

    trial: int
    design: Design
    seed: int
    parameters: int
    flops: int
    name: str = ""
    """Of a known design, such as cnn-3; empty for a sampled one."""
    state: TrialState = "running"
    reason: str = ""
    """Why it was stopped, failed, or was cut short."""
    workers: int = 1
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    precision: str = ""
    device: str = ""
    restarts: int = 0
    """How often it went on in another lane because its own was lost."""
    to_epoch: int = 0
    """Where it pauses next, or ends."""
    epochs: list[dict[str, Any]] = field(default_factory=list)
    """Its epoch lines, in order."""
    costs: dict[str, float] = field(default_factory=dict)
    """Worker-seconds by item: training, evaluation, overhead (start-up, messages, stop)."""

    @property
    def points(self) -> list[dict[str, Any]]:
        """The epochs whose result anyone gets who trains this design for just so long.

        An epoch that diverged is none.
        """
        return [
            line
            for line in self.epochs
            if line["val_accuracy"] is not None and self.design.is_result(line["epoch"])
        ]

    @property
    def best(self) -> dict[str, Any] | None:
        """The point with the highest validation accuracy, the earliest of equals."""
        return max(self.points, key=lambda p: (p["val_accuracy"], -p["epoch"]), default=None)

    @property
    def last_epoch(self) -> int:
        """The newest epoch that was told; 0 before the first."""
        return self.epochs[-1]["epoch"] if self.epochs else 0

    def train_seconds(self, epochs: int | None = None) -> float:
        """Worker-seconds of training, evaluation excluded, up to and with epoch `epochs`."""
        return sum(
            line["train_seconds"]
            for line in self.epochs
            if epochs is None or line["epoch"] <= epochs
        )


@dataclass(frozen=True)
class Promise:
    """What the best next action promised when it was decided on, and what was known then."""

    points: float
    """Expected gain of accuracy, percentage points."""
    seconds: float
    """Expected worker-seconds of training for it."""
    new: bool
    """Whether it began a design, or went on with a trial."""
    best_accuracy: float
    """Of all results until then."""
    spent_seconds: float
    """Worker-seconds of training until then."""


@dataclass
class SearchState:
    """Trials by number, and what else the ledger tells."""

    trials: dict[int, Trial] = field(default_factory=dict)
    decisions: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    """Decision lines of designs that were never trained."""
    promises: list[Promise] = field(default_factory=list)
    ended: str = ""
    """The run's last event; empty while it runs."""
    wall_seconds: float = 0.0
    """On the clock, while the search ran."""
    train_seconds: float = 0.0
    """Worker-seconds of all trials' training."""
    winner: Trial | None = None
    """The trial with the best point; the cheaper one (FLOPs) of equals."""
    last_time: float | None = None
    """Of the newest line of the session that runs."""

    @property
    def best_accuracy(self) -> float:
        """The winner's; 0 without one."""
        return self.winner.best["val_accuracy"] if self.winner and self.winner.best else 0.0


def fold(lines: Iterable[ledger.Line]) -> SearchState:
    """The state after `lines`."""
    state = SearchState()
    for line in lines:
        apply(state, line)
    return state


def load(run: Path) -> SearchState:
    """The state of the run in folder `run`."""
    return fold(ledger.read(run / "ledger"))


def apply(state: SearchState, line: ledger.Line) -> None:
    """Moves `state` on by one line."""
    _apply_time(state, line)
    match line["kind"]:
        case "run":
            state.ended = "" if line["event"] == "start" else line["event"]
        case "decision":
            _apply_decision(state, line)
        case "trial":
            _apply_trial(state, line)
        case "epoch":
            _apply_epoch(state, line)
        case "cost":
            costs = state.trials[line["trial"]].costs
            costs[line["item"]] = costs.get(line["item"], 0.0) + line["seconds"]


def _apply_time(state: SearchState, line: ledger.Line) -> None:
    """Between the sessions of a run its clock stands still."""
    now = line.get("time")
    if now is None:
        return
    if line["kind"] == "run" and line["event"] == "start":
        state.last_time = now
    elif state.last_time is not None:
        state.wall_seconds += max(0.0, now - state.last_time)
        state.last_time = now


def _apply_decision(state: SearchState, line: ledger.Line) -> None:
    if line["action"] == "restart":
        state.trials[line["trial"]].restarts += 1
        return
    state.decisions += 1
    if line["action"] == "refuse":
        state.refused.append(line)
    if line.get("gain_points") is not None:
        promise = Promise(
            line["gain_points"],
            line["gain_seconds"],
            line["action"] == "start",
            state.best_accuracy,
            state.train_seconds,
        )
        state.promises.append(promise)


def _apply_epoch(state: SearchState, line: ledger.Line) -> None:
    trial = state.trials[line["trial"]]
    # An epoch that was trained again after a fault replaces what was told of it before.
    anew = trial.last_epoch >= line["epoch"]
    trial.epochs = [e for e in trial.epochs if e["epoch"] < line["epoch"]] + [line]
    trial.precision, trial.device = line["precision"], line["device"]
    state.train_seconds += line["train_seconds"]
    if anew and trial is state.winner:
        others = [each for each in state.trials.values() if each.best]
        state.winner = max(others, key=_merit, default=None)
    elif trial.best and (state.winner is None or _merit(trial) > _merit(state.winner)):
        state.winner = trial


def _merit(trial: Trial) -> tuple[float, int, int]:
    accuracy = trial.best["val_accuracy"] if trial.best else -1.0
    return accuracy, -trial.flops, -trial.trial


def _apply_trial(state: SearchState, line: ledger.Line) -> None:
    number = line["trial"]
    if number not in state.trials:
        kept = {"name", "seed", "parameters", "flops", "workers", "cpus_per_worker"}
        kept |= {"gpus_per_worker"}
        fields = {key: value for key, value in line.items() if key in kept}
        state.trials[number] = Trial(trial=number, design=from_dict(line["design"]), **fields)
    trial = state.trials[number]
    trial.state, trial.reason = line["state"], line.get("reason", "")
    trial.to_epoch = line.get("to_epoch", trial.to_epoch or trial.design.epochs)

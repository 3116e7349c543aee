"""The state of a search: a fold over its ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.design import Design, from_dict
from search import ledger

TrialState = Literal["running", "paused", "finished", "stopped", "failed"]


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
    """Why it was stopped or failed."""
    workers: int = 1
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    precision: str = ""
    device: str = ""
    restarts: int = 0
    """How often it went on in another lane because its own was lost."""
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


@dataclass
class SearchState:
    """Trials by number, and what else the ledger tells."""

    trials: dict[int, Trial] = field(default_factory=dict)
    decisions: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    """Decision lines of designs that were never trained."""
    ended: str = ""
    """The run's last event; empty while it runs."""

    @property
    def winner(self) -> Trial | None:
        """The trial with the best point; the cheaper one (FLOPs) of equals."""
        held = [trial for trial in self.trials.values() if trial.best]
        return max(held, key=lambda t: (_accuracy(t), -t.flops, -t.trial), default=None)


def _accuracy(trial: Trial) -> float:
    return trial.best["val_accuracy"] if trial.best else 0.0


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
    match line["kind"]:
        case "run":
            state.ended = "" if line["event"] == "start" else line["event"]
        case "decision":
            state.decisions += 1
            if line["action"] == "refuse":
                state.refused.append(line)
            elif line["action"] == "restart":
                state.trials[line["trial"]].restarts += 1
        case "trial":
            _apply_trial(state, line)
        case "epoch":
            trial = state.trials[line["trial"]]
            # An epoch that was trained again after a fault replaces what was told of it before.
            trial.epochs = [e for e in trial.epochs if e["epoch"] < line["epoch"]] + [line]
            trial.precision, trial.device = line["precision"], line["device"]
        case "cost":
            costs = state.trials[line["trial"]].costs
            costs[line["item"]] = costs.get(line["item"], 0.0) + line["seconds"]


def _apply_trial(state: SearchState, line: ledger.Line) -> None:
    number = line["trial"]
    if number not in state.trials:
        kept = {"name", "seed", "parameters", "flops", "workers", "cpus_per_worker"}
        kept |= {"gpus_per_worker"}
        fields = {key: value for key, value in line.items() if key in kept}
        state.trials[number] = Trial(trial=number, design=from_dict(line["design"]), **fields)
    state.trials[number].state = line["state"]
    state.trials[number].reason = line.get("reason", "")

"""The state of a search and of its trials, folded from the ledger (event sourcing); holds the
incumbent as `winner`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.design import Design, from_dict
from models.short_design import describe
from search.record import ledger
from search.terms.accounts import Account, Held, Share, Trend, add, by_item, share_of
from search.terms.gain_record import GainRecord
from search.terms.metric import Metric, column_of, metric_of, score_of

TrialState = Literal["running", "paused", "finished", "stopped", "failed"]

DIVERGED, OUT_OF_MEMORY = "diverged", "out_of_memory"
OWN_ENDS = (DIVERGED, OUT_OF_MEMORY)
"""Reasons of failed trials that the design itself causes: observations for the searcher, while
machine faults are not."""


@dataclass
class Trial:
    """The state of one trial, as its ledger lines say."""

    trial: int
    design: Design
    seed: int
    parameters: int
    flops: int
    name: str = ""
    """The name of a known design, such as cnn-3; empty for a sampled one."""
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
    """The epoch at which it pauses next, or ends."""
    epochs: list[dict[str, Any]] = field(default_factory=list)
    """Its epoch lines, in order."""
    account: Account = field(default_factory=Account)
    """The worker-seconds that it has used."""
    metric: Metric = "accuracy"
    """The metric that the search maximises."""

    @property
    def share(self) -> Share:
        """The resources of its workers, in the last session that trained it."""
        return Share(self.workers, self.cpus_per_worker, self.gpus_per_worker)

    @property
    def title(self) -> str:
        """For people: "trial 3 (cnn-3)", or "trial 7 (cnn 32-64, bn, adam 1e-3)"."""
        return f"trial {self.trial} ({self.name or describe(self.design)})"

    @property
    def costs(self) -> dict[str, float]:
        """Booked worker-seconds by item: complete once the trial no longer runs."""
        booked = by_item(self.account.booked)
        return {item: sum(held.values()) for item, held in booked.items()}

    def use(self, now: float | None) -> dict[str, Held]:
        """Worker-seconds used by the time `now`, by item and resources: an epoch in progress counts
        as `lost` until its result is recorded."""
        running = self.state == "running"
        return by_item(self.account.booked, self.account.open(now) if running else {})

    @property
    def points(self) -> list[dict[str, Any]]:
        """The epochs that count as results: those that training the design for just so many epochs
        would reproduce (Design.is_result), and that did not diverge."""
        return [
            line
            for line in self.epochs
            if score_of(line, self.metric) is not None and self.design.is_result(line["epoch"])
        ]

    @property
    def best(self) -> dict[str, Any] | None:
        """The point with the highest score on the validation images, the earliest of equals."""
        return max(
            self.points, key=lambda p: (p[column_of(self.metric)], -p["epoch"]), default=None
        )

    @property
    def score(self) -> float | None:
        """The best point's accuracy, or balanced accuracy where that is the metric; 0..1."""
        return score_of(self.best, self.metric) if self.best else None

    @property
    def last_epoch(self) -> int:
        """The newest recorded epoch; 0 before the first."""
        return self.epochs[-1]["epoch"] if self.epochs else 0

    def train_seconds(self, epochs: int | None = None) -> float:
        """Worker-seconds of training, without evaluation, up to and including epoch `epochs`."""
        return sum(self.trained(epochs).values())

    def trained(self, epochs: int | None = None) -> Held:
        """The same by the resources of the workers, which may differ between sessions."""
        held: Held = {}
        for line in self.epochs:
            if epochs is None or line["epoch"] <= epochs:
                share = self.account.shares.get(line["epoch"], self.share)
                add(held, {share: line["train_seconds"]})
        return held or {self.share: 0.0}


@dataclass
class SearchState:
    """The state of a search: trials by number, totals, and the incumbent."""

    trials: dict[int, Trial] = field(default_factory=dict)
    decisions: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    """Decision lines of proposed designs that were refused."""
    gain_records: list[GainRecord] = field(default_factory=list)
    """The expected gain of each decision that had one, in order; the stopping rule reads them."""
    metric: Metric = "accuracy"
    """The metric that the search maximises, and by which it chooses the winner."""
    ended: str = ""
    """The run's last event, end or interrupted; empty while it runs."""
    wall_seconds: float = 0.0
    """Wall-clock seconds of all sessions."""
    trained: Held = field(default_factory=dict)
    """Worker-seconds of all trials' training."""
    booked: Held = field(default_factory=dict)
    """Worker-seconds of all cost lines."""
    running: set[int] = field(default_factory=set)
    """Numbers of the trials that run, or ran when the search was cut."""
    open: Trend = field(default_factory=Trend)
    """What the running trials have used that is not booked yet, as a function of time."""
    share: Share | None = None
    """The resources of a trial's workers in this session; None in older ledgers, which do not say
    when a trial is in a lane."""
    winner: Trial | None = None
    """The incumbent: the trial with the best score; of equals the one with fewer FLOPs."""
    last_time: float | None = None
    """The time of the newest line of the current session, seconds since 1970."""

    def held(self, now: float | None = None) -> Held:
        """Worker-seconds that trials held by resources, until `now` or else the newest line."""
        held = self.open.held((self.last_time or 0.0) if now is None else now)
        add(held, self.booked)
        return held

    @property
    def best_accuracy(self) -> float:
        """The incumbent's score, 0..1; 0 without one."""
        return (self.winner.score if self.winner else None) or 0.0


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
    """Applies one ledger line to `state`, in place."""
    _apply_time(state, line)
    match line["kind"]:
        case "run":
            state.ended = "" if line["event"] == "start" else line["event"]
            if line["event"] == "start":
                state.metric = metric_of(line)
                state.share = share_of(line, Share()) if "workers" in line else None
        case "decision":
            _apply_decision(state, line)
        case _:
            _count(state, line["trial"], -1)
            _APPLY[line["kind"]](state, line)
            _count(state, line["trial"], 1)


def _count(state: SearchState, number: int, sign: int) -> None:
    """Adds (sign 1) or subtracts (-1) a running trial's unbooked use in the total of all."""
    if number in state.running:
        state.open.change(state.trials[number].account.trend(), sign)


def _apply_cost(state: SearchState, line: ledger.Line) -> None:
    trial = state.trials[line["trial"]]
    share = share_of(line, trial.share)
    trial.account.book(line["item"], share, line["seconds"])
    add(state.booked, {share: line["seconds"]})


def _apply_time(state: SearchState, line: ledger.Line) -> None:
    """Between the sessions of a run its clock stands still."""
    now = line.get("time")
    if now is None:
        return
    if line["kind"] == "run" and line["event"] == "start":
        _cut_stays(state)
        state.last_time = now
    elif state.last_time is not None:
        state.wall_seconds += max(0.0, now - state.last_time)
        state.last_time = now


def _cut_stays(state: SearchState) -> None:
    """Closes the stays of a session that crashed: its lanes count as held until its newest line."""
    state.open = Trend()
    for number in state.running:
        stay = state.trials[number].account.stay
        if stay is not None and stay.until is None:
            stay.until = state.last_time
        _count(state, number, 1)


def _apply_decision(state: SearchState, line: ledger.Line) -> None:
    if line["action"] == "restart":
        state.trials[line["trial"]].restarts += 1
        return
    state.decisions += 1
    if line["action"] == "refuse":
        state.refused.append(line)
    if line.get("gain_points") is not None:
        record = GainRecord(
            line["gain_points"],
            line["gain_seconds"],
            line["action"] == "start",
            state.best_accuracy,
            sum(state.trained.values()),
            dict(state.trained),
        )
        state.gain_records.append(record)


def _apply_epoch(state: SearchState, line: ledger.Line) -> None:
    trial = state.trials[line["trial"]]
    # An epoch that was trained again after a fault replaces its earlier result.
    anew = trial.last_epoch >= line["epoch"]
    for replaced in (e for e in trial.epochs if e["epoch"] >= line["epoch"]):
        trial.account.throw_away(replaced)
    trial.epochs = [e for e in trial.epochs if e["epoch"] < line["epoch"]] + [line]
    trial.account.tell(line, trial.share)
    trial.precision, trial.device = line["precision"], line["device"]
    add(state.trained, {trial.share: line["train_seconds"]})
    if anew and trial is state.winner:
        others = [each for each in state.trials.values() if each.best]
        state.winner = max(others, key=_merit, default=None)
    elif trial.best and (state.winner is None or _merit(trial) > _merit(state.winner)):
        state.winner = trial


def _merit(trial: Trial) -> tuple[float, int, int]:
    score = trial.score
    return -1.0 if score is None else score, -trial.flops, -trial.trial


def _apply_trial(state: SearchState, line: ledger.Line) -> None:
    number = line["trial"]
    if number not in state.trials:
        kept = {"name", "seed", "parameters", "flops", "workers", "cpus_per_worker"}
        kept |= {"gpus_per_worker"}
        fields = {key: value for key, value in line.items() if key in kept}
        state.trials[number] = Trial(
            trial=number, design=from_dict(line["design"]), metric=state.metric, **fields
        )
    trial = state.trials[number]
    trial.state, trial.reason = line["state"], line.get("reason", "")
    trial.to_epoch = line.get("to_epoch", trial.to_epoch or trial.design.epochs)
    trial.workers, trial.cpus_per_worker, trial.gpus_per_worker = share_of(line, trial.share)
    _apply_lane(state, trial, line)


def _apply_lane(state: SearchState, trial: Trial, line: ledger.Line) -> None:
    """Opens or closes a trial's stay in a lane: a running trial is in one, unless `in_lane` is
    false."""
    runs, known = line["state"] == "running", trial.trial in state.running
    if not (runs and known and line.get("in_lane", True)):
        trial.account.leave_lane()
    if not runs:
        state.running.discard(trial.trial)
        return
    state.running.add(trial.trial)
    if line.get("in_lane", True) and state.share is not None and "time" in line:
        trial.account.enter_lane(trial.share, line["time"])


_APPLY = {"trial": _apply_trial, "epoch": _apply_epoch, "cost": _apply_cost}

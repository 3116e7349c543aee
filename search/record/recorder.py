"""The only writer of a run: ledger, state, followers, exported tables, obsolete checkpoints."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from models.design import Design, to_dict
from models.error_text import first_line
from models.network import Shape, measure_size
from search.record import csv_tables, state
from search.record.checkpoint_retention import CheckpointKeeper, keep_needed
from search.record.ledger import Kind, Ledger, Line
from search.record.tensorboard_events import Scalars
from search.storage.store import Folder, Store
from search.terms.accounts import ALL_LOST, ITEMS
from search.terms.budget import Budget
from search.terms.clock import Clock, steady
from search.terms.metric import Metric
from search.terms.plan import Plan
from search.terms.price import Bill, bill_of

EXPORT_SECONDS = 5
"""The shortest interval between exports of the tables while the search runs."""
EXPORT_SHARE = 0.001
"""The largest part of the time that exports may take, 0..1."""


class RecordError(Exception):
    """The run's folder cannot be written; the message is one line."""


Grounds = dict[str, float]
"""Fields of a decision line: the expected gain, the time that was left."""
NO_GROUNDS: Grounds = {}
Follow = Callable[[Line, state.SearchState], None]
"""A follower of the ledger: called with each new line, and the state after it."""


class Recorder:
    """Writes the ledger of a run, and holds the state that its lines fold to."""

    def __init__(
        self,
        run: Path,
        plan: Plan,
        price: float | None,
        shape: Shape,
        classes: int,
        scalars: Scalars,
        followers: Sequence[Follow] = (),
        known: state.SearchState | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        generation: int | None = None,
        metric: Metric = "accuracy",
    ) -> None:
        """Begins a session: `known` is the state of the ledger that is in `run` already, if any;
        `followers` are called for lines from now on. Checkpoints lie in `store`, or else in `run`;
        `clock` defaults to the machine's; `generation` is the session's."""
        self._store = store or Folder(str(run))
        self.run, self.plan, self.price = run, plan, price
        self._share = plan.share._asdict()
        self.state = known or state.SearchState()
        self._followers = followers
        self._clock = clock or steady()
        self._ledger = Ledger(run / "ledger", clock=self._clock)
        self._shape, self._classes, self._scalars = shape, classes, scalars
        self._waited: dict[int, float] = {}
        """By trial, when its new lane last reported that its workers were still starting."""
        self._groups: dict[str, int] = {}
        """Numbers of the worker groups by name, in the order of their first epochs."""
        lanes = (line["lane"] for trial in self.state.trials.values() for line in trial.epochs)
        self._first_group = max(lanes, default=-1) + 1
        self._exported = self._export_seconds = 0.0
        self._keeper = CheckpointKeeper(self._store, self.state)
        self._untidy: list[Callable[[], None]] = []
        newest = self.state.last_time
        cut = [entry for trial in self.running() for entry in self._book(trial, newest)]
        begun: dict[str, Any] = {"objective_metric": metric}
        begun |= {} if generation is None else {"generation": generation}
        self._write(("run", {"event": "start", **begun, **self._share}), *cut)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Groups all lines written within it into one fsync, at the end."""
        with self._writing(), self._ledger.together():
            yield
        self._tidy()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """While entered, an OSError is raised as a RecordError that names the run's folder."""
        try:
            yield
        except OSError as error:
            raise RecordError(f"{self.run} cannot be written: {first_line(error)}") from error

    def refuse(self, design: Design, reason: str, grounds: Grounds = NO_GROUNDS) -> None:
        """Records that a proposed design is not trained, and why."""
        fields = {"action": "refuse", "design": to_dict(design), "reason": reason}
        self._write(("decision", fields | grounds))

    def start(
        self,
        design: Design,
        seed: int,
        *,
        to_epoch: int | None = None,
        name: str = "",
        by: str = "",
        grounds: Grounds = NO_GROUNDS,
    ) -> int:
        """Records a new trial, proposed `by`, which is to pause at `to_epoch`; its number.

        `grounds` are further fields of the decision: on what it was made.
        """
        number = len(self.state.trials)
        parameters, flops = measure_size(design, self._shape, self._classes)
        self._write(
            ("decision", {"action": "start", "trial": number, "by": by, **grounds}),
            (
                "trial",
                {
                    "trial": number,
                    "state": "running",
                    "to_epoch": to_epoch or design.epochs,
                    "name": name,
                    "design": to_dict(design),
                    "design_id": design.id,
                    "seed": seed,
                    "parameters": parameters,
                    "flops": flops,
                    **self._share,
                },
            ),
        )
        return number

    def resume(self, trial: int, to_epoch: int, grounds: Grounds = NO_GROUNDS) -> None:
        """Records that a paused trial is promoted: it is to be trained on to `to_epoch`."""
        told = self.state.trials[trial].last_epoch
        decision = {"action": "resume", "trial": trial, "from_epoch": told, "to_epoch": to_epoch}
        state = {"trial": trial, "state": "running", "action": "resume", "to_epoch": to_epoch}
        state |= self._share
        self._write(("decision", decision | grounds), ("trial", state))

    def go_on(self, trial: int) -> None:
        """Records that a trial goes on with the leg that the end of an earlier session cut."""
        self._write(("trial", _waiting(trial) | self._share))

    def enter_lane(self, trial: int) -> None:
        """Records that a running trial that waited for a lane has one from now on."""
        if self.state.trials[trial].account.stay is None:
            self._write(("trial", {"trial": trial, "state": "running", "in_lane": True}))

    def workers_to_come(self, trial: int) -> None:
        """Notes that a lane's workers are still starting: its time so far is not lost training."""
        self._waited[trial] = self._clock()

    def leave_lane(self, trial: int) -> None:
        """Records that a running trial whose epoch had not begun waits for another lane."""
        if self.state.trials[trial].account.stay is not None:
            costs = self._book(trial, self._clock(), lost=False)
            self._write(*costs, ("trial", _waiting(trial)))

    def pause(self, trial: int, reason: str = "") -> None:
        """Records that a running trial is paused: at its rung, or for the `reason` given."""
        if trial not in self.state.running:
            return
        known = self.state.trials[trial]
        entries = self._book(trial, self._clock(), lost=known.last_epoch < known.to_epoch)
        self._write(*entries, ("trial", {"trial": trial, "state": "paused", "reason": reason}))
        self._later(self._keeper.settle, known)
        self._export_now_and_then()

    def give_up(self, trial: int, reason: str) -> None:
        """Records that a paused trial is stopped for good."""
        self._write(("trial", {"trial": trial, "state": "stopped", "reason": reason}))
        self._later(self._keeper.settle, self.state.trials[trial])

    def restart(self, trial: int, reason: str, from_epoch: int) -> None:
        """Records a machine fault or lost lane: a running trial restarts from `from_epoch`."""
        fields = {"action": "restart", "trial": trial, "from_epoch": from_epoch, "reason": reason}
        costs = self._book(trial, self._clock())
        self._write(*costs, ("trial", _waiting(trial)), ("decision", fields))

    def epoch(self, trial: int, result: dict[str, Any], group: str) -> None:
        """Records one epoch's result: the fields of EpochResult, with precision and device.

        `group` names the worker group that trained it.
        """
        if trial not in self.state.running:
            return  # reported after the trial's end
        lane = self._groups.setdefault(group, self._first_group + len(self._groups))
        # JSON has no NaN and no infinity.
        sound = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in result.items()
        }
        if sound["train_loss"] is None or sound["val_loss"] is None:
            sound |= {"train_accuracy": None, "val_accuracy": None, "val_balanced_accuracy": None}
        self._write(("epoch", {"trial": trial, "lane": lane, **sound}))
        self._later(self._scalars.epoch, self.state.trials[trial])
        self._later(partial(keep_needed, self._store), self.state.trials[trial])
        self._export_now_and_then()

    def end(self, trial: int, ended: state.TrialState | None = None, reason: str = "") -> None:
        """Records a trial's end: finished after its last epoch, else stopped; or `ended`."""
        if trial not in self.state.running:
            return
        known = self.state.trials[trial]
        diverged = bool(known.epochs) and known.epochs[-1]["val_accuracy"] is None
        entries = self._book(trial, self._clock(), lost=ended == "failed" and not diverged)
        if ended is None:
            complete = known.last_epoch == known.design.epochs
            ended, reason = ("finished", "") if complete else ("stopped", reason)
        self._write(*entries, ("trial", {"trial": trial, "state": ended, "reason": reason}))
        self._later(self._keeper.settle, known)
        self._export_now_and_then()

    def _book(
        self, trial: int, now: float | None, lost: bool = True
    ) -> list[tuple[Kind, dict[str, Any]]]:
        """Cost entries for what a running trial has used until `now` and is not booked. With `lost`
        the time since its newest epoch counts as lost, else as overhead."""
        known, began = self.state.trials[trial], self._waited.pop(trial, ALL_LOST)
        due = dict.fromkeys(((item, known.share) for item in ITEMS), 0.0)
        due |= known.account.open(now, began if lost else float("inf"))
        return [
            ("cost", {"trial": trial, "item": item, "seconds": round(used, 6), **share._asdict()})
            for (item, share), used in due.items()
        ]

    def close(self, event: str, reason: str) -> None:
        """Records the end of the session, exports the tables and closes the ledger."""
        self._write(("run", {"event": event, "reason": reason}))
        with self._writing():
            self._export()
            self._ledger.close()

    def running(self) -> list[int]:
        """Numbers of the running trials, in order."""
        return sorted(self.state.running)

    def seconds(self) -> float:
        """Wall-clock seconds of the search, its earlier sessions included."""
        return self.state.wall_seconds + self._clock() - (self.state.last_time or 0.0)

    def spent(self, budget: Budget) -> str:
        """The limit of `budget` that is reached; empty while none is. Called at each event, so what
        running trials hold is summed only where the budget limits it."""
        if not budget.limits_use:
            return budget.spent(self.seconds(), 0.0, 0.0)
        used = self.used()
        return budget.spent(self.seconds(), used.gpu_hours or 0.0, used.cost or 0.0)

    def used(self) -> Bill:
        """What all trials have held so far."""
        return bill_of(self.state.held(self._clock()), self.price)

    def _export_now_and_then(self) -> None:
        wait = max(EXPORT_SECONDS, self._export_seconds / EXPORT_SHARE)
        if time.monotonic() - self._exported > wait:
            with self._writing():
                self._export()

    def _export(self) -> None:
        began = time.monotonic()
        csv_tables.write(self.state, self.run, self.price)
        self._exported = time.monotonic()
        self._export_seconds = self._exported - began

    def _later(self, tidy: Callable[[state.Trial], None], trial: state.Trial) -> None:
        """Runs a clean-up that follows from ledger lines once those lines are fsynced."""
        self._untidy.append(partial(tidy, trial))
        if not self._ledger.waiting:
            self._tidy()

    def _tidy(self) -> None:
        with self._writing():
            while self._untidy:
                self._untidy.pop(0)()

    def _write(self, *entries: tuple[Kind, dict[str, Any]]) -> None:
        with self._writing():
            for line in self._ledger.append(*entries):
                self._tell(line)

    def _tell(self, line: Line) -> None:
        state.apply(self.state, line)
        for follow in self._followers:
            follow(line, self.state)


def _waiting(trial: int) -> dict[str, Any]:
    return {"trial": trial, "state": "running", "in_lane": False}

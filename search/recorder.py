"""Writes down what happens in a search: the ledger, the tables made from it, the weights kept."""

import math
import time
from pathlib import Path
from typing import Any

from models.design import Design, to_dict
from models.network import Shape, measure_size
from search import export, state, weights
from search.budget import Budget
from search.ledger import Kind, Ledger
from search.plan import Plan
from search.price import bill
from search.scalars import Scalars

EXPORT_SECONDS = 5
"""How often at most the tables are written while the search runs."""


class Recorder:
    """The one writer of a run. It holds the state that the ledger's lines fold to."""

    def __init__(
        self,
        run: Path,
        plan: Plan,
        price: float | None,
        shape: Shape,
        classes: int,
        scalars: Scalars,
    ) -> None:
        self.run, self.plan, self.price = run, plan, price
        self.state = state.SearchState()
        self._ledger = Ledger(run / "ledger")
        self._shape, self._classes, self._scalars = shape, classes, scalars
        self._since: dict[int, float] = {}
        """When each running trial began."""
        self._groups: dict[str, int] = {}
        """Numbers of the worker groups, in the order in which they were first heard of."""
        self._held = 0.0
        """Worker-seconds of the trials that have ended."""
        self._began = time.monotonic()
        self._exported = 0.0
        self._write(("run", {"event": "start"}))

    def refuse(self, design: Design, reason: str) -> None:
        """A design that is not trained."""
        fields = {"action": "refuse", "design": to_dict(design), "reason": reason}
        self._write(("decision", fields))

    def start(self, design: Design, seed: int, *, name: str = "", by: str = "") -> int:
        """A trial that begins now, proposed `by`; gives its number."""
        number = len(self.state.trials)
        parameters, flops = measure_size(design, self._shape, self._classes)
        self._since[number] = time.monotonic()
        self._write(
            ("decision", {"action": "start", "trial": number, "by": by}),
            (
                "trial",
                {
                    "trial": number,
                    "state": "running",
                    "name": name,
                    "design": to_dict(design),
                    "design_id": design.id,
                    "seed": seed,
                    "parameters": parameters,
                    "flops": flops,
                    "workers": self.plan.workers_per_trial,
                    "cpus_per_worker": self.plan.cpus_per_worker,
                    "gpus_per_worker": self.plan.gpus_per_worker,
                },
            ),
        )
        return number

    def restart(self, trial: int, reason: str) -> None:
        """A running trial has lost its lane, and goes on in another."""
        told = self.state.trials[trial].last_epoch
        fields = {"action": "restart", "trial": trial, "from_epoch": told, "reason": reason}
        self._write(("decision", fields))

    def epoch(self, trial: int, result: dict[str, Any], group: str) -> None:
        """One epoch's result, the fields of EpochResult with precision and device.

        `group` names the worker group that trained it: a lane's, until it is lost.
        """
        if trial not in self._since:
            return  # told after its end
        lane = self._groups.setdefault(group, len(self._groups))
        # JSON has no word for what is not a number.
        sound = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in result.items()
        }
        if sound["train_loss"] is None or sound["val_loss"] is None:
            sound |= {"train_accuracy": None, "val_accuracy": None}
        self._write(("epoch", {"trial": trial, "lane": lane, **sound}))
        self._scalars.epoch(self.state.trials[trial])
        weights.keep_needed(self.run, self.state.trials[trial])
        self._export_now_and_then()

    def end(self, trial: int, ended: state.TrialState | None = None, reason: str = "") -> None:
        """A trial's end: finished or stopped by how far it came, unless `ended` says otherwise."""
        if trial not in self._since:
            return
        known = self.state.trials[trial]
        held = (time.monotonic() - self._since.pop(trial)) * self.plan.workers_per_trial
        training = known.train_seconds()
        evaluation = sum(line["eval_seconds"] for line in known.epochs)
        costs = {
            "training": training,
            "evaluation": evaluation,
            "overhead": max(0.0, held - training - evaluation),
        }
        self._held += sum(costs.values())
        if ended is None:
            complete = known.last_epoch == known.design.epochs
            ended, reason = ("finished", "") if complete else ("stopped", reason)
        self._write(
            *(
                ("cost", {"trial": trial, "item": item, "seconds": round(seconds, 3)})
                for item, seconds in costs.items()
            ),
            ("trial", {"trial": trial, "state": ended, "reason": reason}),
        )
        self._scalars.end(known)
        weights.sweep(self.run, self.state)
        self._export_now_and_then()

    def close(self, event: str, reason: str) -> None:
        """Ends the ledger; every trial has ended."""
        self._write(("run", {"event": event, "reason": reason}))
        self._export()
        self._ledger.close()

    def running(self) -> list[int]:
        """Numbers of the trials that run."""
        return sorted(self._since)

    def seconds(self) -> float:
        """Wall clock since the search began."""
        return time.monotonic() - self._began

    def spent(self, budget: Budget) -> str:
        """Which limit of `budget` is reached; empty while none is."""
        now = time.monotonic()
        running = sum(now - began for began in self._since.values())
        used = bill(
            self._held + running * self.plan.workers_per_trial,
            self.plan.cpus_per_worker,
            self.plan.gpus_per_worker,
            self.price,
        )
        return budget.spent(self.seconds(), used.gpu_hours or 0.0, used.cost or 0.0)

    def _export_now_and_then(self) -> None:
        if time.monotonic() - self._exported > EXPORT_SECONDS:
            self._export()

    def _export(self) -> None:
        export.write(self.state, self.run, self.price)
        self._exported = time.monotonic()

    def _write(self, *entries: tuple[Kind, dict[str, Any]]) -> None:
        for line in self._ledger.append(*entries):
            state.apply(self.state, line)

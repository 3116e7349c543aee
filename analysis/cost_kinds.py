"""Three kinds of cost, kept apart: the search, the winner's training, one prediction."""

from typing import Any

import pandas as pd

from analysis.run_folder import Run
from analysis.table_files import Table
from search.price import Bill
from search.state import Trial

ITEMS = ("training", "evaluation", "overhead")
COLUMNS = ("what", "seconds", "gpu_hours", "cpu_core_hours", "cost")


def cost_table(
    run: Run, winner: Trial | None, epoch: int | None, prediction: float | None
) -> Table:
    """The costs of `run`, of training `winner` to `epoch`, and of one prediction (seconds)."""
    rows = [search_cost(run, (item,)) | {"what": f"search: {item}"} for item in ITEMS]
    rows.append(search_cost(run) | {"what": "search: all"})
    if winner is not None:
        seconds = winner.train_seconds(epoch)
        rows.append(_row("training the winner once", seconds, run.bill(winner, seconds)))
    rows.append(_row("one prediction", prediction, Bill(None, float("nan"), None)))
    return Table(
        name="costs",
        title="Three kinds of cost",
        frame=pd.DataFrame(rows, columns=list(COLUMNS)),
        rule=(
            "Search: all seconds for which workers were held, of all trials; overhead is start-up, "
            "messages and stop. Training the winner: its own seconds of training, evaluation "
            "excluded, what whoever needs just this network pays. One prediction: one image, in a "
            "batch, on the machine that scored the winner. Hours are seconds times the share of "
            "the machine that a worker held; an empty cell was not measured, or has no price."
        ),
    )


def search_cost(run: Run, items: tuple[str, ...] = ITEMS) -> dict[str, Any]:
    """Worker-seconds held for `items` in all trials, with their bill; all None if not recorded."""
    billed = [
        (seconds, run.bill(trial, seconds))
        for trial in run.state.trials.values()
        for item, seconds in trial.costs.items()
        if item in items
    ]
    if not billed:
        return _row("", None, Bill(None, float("nan"), None))
    gpu = [bill.gpu_hours for _, bill in billed if bill.gpu_hours is not None]
    cost = [bill.cost for _, bill in billed if bill.cost is not None]
    total = Bill(
        gpu_hours=sum(gpu) if gpu else None,
        cpu_core_hours=sum(bill.cpu_core_hours for _, bill in billed),
        cost=sum(cost) if cost else None,
    )
    return _row("", sum(seconds for seconds, _ in billed), total)


def _row(what: str, seconds: float | None, bill: Bill) -> dict[str, Any]:
    return {
        "what": what,
        "seconds": seconds,
        "gpu_hours": bill.gpu_hours,
        "cpu_core_hours": bill.cpu_core_hours,
        "cost": bill.cost,
    }

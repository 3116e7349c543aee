"""Table of three kinds of cost, kept apart: the search, the winner's training, one prediction."""

from typing import Any

import pandas as pd

from analysis.run.run_folder import Run
from analysis.tables.table_files import Table
from search.record.state import Trial
from search.terms.accounts import ITEMS, Held, add
from search.terms.price import Bill

COLUMNS = ("what", "seconds", "gpu_hours", "cpu_core_hours", "cost")


def cost_table(
    run: Run, winner: Trial | None, epoch: int | None, prediction: float | None
) -> Table:
    """The costs of `run`, of training `winner` to `epoch`, and of one prediction (seconds)."""
    rows = [search_cost(run, (item,)) | {"what": f"search: {item}"} for item in ITEMS]
    rows.append(search_cost(run) | {"what": "search: all"})
    if winner is not None:
        seconds, held = winner.train_seconds(epoch), winner.trained(epoch)
        rows.append(_row("training the winner once", seconds, run.bill(held)))
    rows.append(_row("one prediction", prediction, Bill(None, float("nan"), None)))
    return Table(
        name="costs",
        title="Three kinds of cost",
        frame=pd.DataFrame(rows, columns=list(COLUMNS)),
        rule=(
            "Search: all seconds for which workers were held, of all trials. Lost is training that "
            "was thrown away: an epoch that was cut with its lane, by a limit, an interrupt or a "
            "crash, or trained again (of a run that still trains, what is in progress). Overhead "
            "is start-up, messages and stop. Training the winner: its own seconds of training, "
            "evaluation excluded, what whoever needs just this network pays, with the workers that "
            "trained it. One prediction: one image, in a batch, on the machine that scored the "
            "winner. Hours are seconds times the share of the machine that a worker held, at "
            "today's price; an empty cell was not measured, or has no price."
        ),
    )


def search_cost(run: Run, items: tuple[str, ...] = ITEMS) -> dict[str, Any]:
    """Worker-seconds held for `items` in all trials, with their bill; all None if not recorded."""
    held: Held = {}
    for trial in run.state.trials.values():
        for item, used in trial.use(run.state.last_time).items():
            if item in items:
                add(held, used)
    if not held:
        return _row("", None, Bill(None, float("nan"), None))
    return _row("", sum(held.values()), run.bill(held))


def _row(what: str, seconds: float | None, bill: Bill) -> dict[str, Any]:
    return {
        "what": what,
        "seconds": seconds,
        "gpu_hours": bill.gpu_hours,
        "cpu_core_hours": bill.cpu_core_hours,
        "cost": bill.cost,
    }

"""Table of when the search would have ended at other prices, by the expected gain of its decisions.

A price is the least gain, in percentage points per unit of cost, for which a search goes on.
"""

import math
from typing import Any

import pandas as pd

from analysis.run.quantities import amount
from analysis.run.run_folder import Run
from analysis.tables.table_files import Table
from search.strategy.stopping_rule import WINDOW, Stopping, can_pause
from search.terms.accounts import Held
from search.terms.gain_record import GainRecord

MOST_PRICES = 12


def _columns(run: Run) -> list[str]:
    best = run.accuracies.column
    return ["price", "unit", "decision", "spent", best, "later_spent", "later_points"]


def stopping_at(run: Run, price: float) -> Stopping:
    """The stopping rule with this price, in the unit in which the run was paid."""
    share = next(iter(run.state.trials.values()))
    unit = "money" if run.price else "gpuh" if run.uses_gpus else "coreh"
    pauses = can_pause((run.record.get("settings") or {}).get("max_epochs"))
    return Stopping(price, unit, share.cpus_per_worker, share.gpus_per_worker, run.price, pauses)


def stop_table(run: Run) -> Table:
    """For each price, when the search would have ended, and what it gained and spent after that."""
    gain_records = run.state.gain_records
    rows = [_row(run, gain_records, price) for price in _prices(run)] if gain_records else []
    return Table(
        name="stop_prices",
        title="When the search would have ended at other prices",
        frame=pd.DataFrame(rows, columns=_columns(run)),
        rule=(
            f"At its price a search ends when {WINDOW} decisions in a row expect to gain less, in "
            f"percentage points of {run.held_out} {run.accuracies.name} for a unit of cost (a "
            "GPU-hour, a CPU-core-hour, or one of money), as forecasts of learning curves have it. "
            "Spent is training of all trials until then; later is what the search spent and gained "
            "after that. An empty row: it would not have ended yet. "
            "Set with --stop-when-gain-below."
        ),
    )


def stop_sentence(run: Run) -> str:
    """A sentence on the expected gain of the last decisions; empty where there are too few."""
    gain_records = run.state.gain_records
    if not gain_records:
        return ""
    rule = stopping_at(run, 1.0)
    offered = rule.offered(gain_records)
    if offered == float("inf"):
        return ""
    unit = {"gpuh": "GPU-hour", "coreh": "CPU-core-hour", "money": "unit of money"}[rule.unit]
    return (
        f"The last {WINDOW} decisions of the search expected at most {amount(offered)} points of "
        f"{run.accuracies.name} for a further {unit} of training."
    )


def _prices(run: Run) -> list[float]:
    """Prices of 1 and 3 times powers of ten, from the least expected gain per unit at any time
    to the most."""
    rule, gain_records = stopping_at(run, 1.0), run.state.gain_records
    offered = [rule.offered(gain_records[:end]) for end in range(WINDOW, len(gain_records) + 1)]
    known = [each for each in offered if 0 < each < float("inf")]
    if not known:
        return []
    lowest, highest = (math.floor(math.log10(each)) for each in (min(known), max(known)))
    prices = [m * 10.0**power for power in range(lowest, highest + 2) for m in (1, 3)]
    useful = [price for price in prices if min(known) <= price <= 3 * max(known)]
    return useful[::-1][:MOST_PRICES]


def _row(run: Run, gain_records: list[GainRecord], price: float) -> dict[str, Any]:
    rule = stopping_at(run, price)
    row: dict[str, Any] = dict.fromkeys(_columns(run)) | {"price": price, "unit": rule.unit}
    due = rule.first_due(gain_records)
    if due is None:
        return row
    then = gain_records[due]
    gained = 100 * (run.state.best_accuracy - then.best_accuracy)
    trained = run.state.trained
    later = {share: seconds - then.spent.get(share, 0.0) for share, seconds in trained.items()}
    return row | {
        "decision": due + 1,
        "spent": _in_unit(run, then.spent, rule.unit),
        run.accuracies.column: then.best_accuracy,
        "later_spent": _in_unit(run, later, rule.unit),
        "later_points": gained,
    }


def _in_unit(run: Run, held: Held, unit: str) -> float:
    bill = run.bill(held)
    return {"gpuh": bill.gpu_hours, "coreh": bill.cpu_core_hours, "money": bill.cost}[unit] or 0.0

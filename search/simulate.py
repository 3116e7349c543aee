"""The command-line entry point of replays, which compare strategies on recorded learning curves:
python search/simulate.py TABLE... [options]."""

import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table
from tyro.conf import Positional, arg

from models.quantities import count
from search.cli import command_line
from search.cli.command_line import BadInput, checking
from search.cli.standard_output import unbroken
from search.replay import comparison, curve_table, decision_times, hypervolumes, table_export
from search.replay.baselines import COMPARED, STRATEGIES
from search.replay.comparison import Line, Result
from search.replay.hypervolumes import Area
from search.replay.score import Score

PROGRAM = "python search/simulate.py"
LEAST_EPOCHS = 3
"""The least epochs of a table: with fewer no baseline could stop a trial early."""
WIDTH = 110
"""Line width in characters for output to a file or a pipe."""
Word = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]
File = Annotated[Path | None, arg(metavar="FILE.csv", help_behavior_hint="")]


@dataclass(frozen=True)
class SimulateOptions:
    """Replay recorded learning curves with strategies, and compare them with random search.

    A TABLE is a csv or csv.gz with the columns config_id, epoch, any hyperparameters, val_accuracy
    (0 to 1) and seconds (of that epoch).
    """

    tables: Positional[Annotated[tuple[Path, ...], arg(metavar="TABLE ...")]] = ()
    """Tables of recorded curves."""

    seeds: Annotated[int, arg(metavar="N")] = 50
    """How often each is replayed."""

    workers: Annotated[str, arg(metavar="N,...")] = "1"
    """How many train at a time: one number or several, as 1,16."""

    strategies: Annotated[str, arg(metavar="NAME,...")] = ",".join(COMPARED)
    """Which are compared: random, one-epoch-60, asha, tpe, tpe-asha, promote-random, promote-tpe,
    promote-gp, default."""

    objectives: Annotated[str, arg(metavar="NAME,...")] = "accuracy"
    """accuracy, or accuracy,cost: the area under the front at a quarter of the cost of 30 full
    random trainings, beside random search's at full cost."""

    out: File = None
    """Also writes each replay's figures there, and a figure beside it (.png)."""

    trials: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Time the default strategy instead: so many trials of any designs, on the first table's curves
    (prints milliseconds a decision)."""

    export: Word = None
    """Write a finished run as a table to --out instead: its folder. Trials of full length only."""


@unbroken
def main(words: Sequence[str]) -> int:
    """Runs the command; returns the exit status: 0, 2 for bad input, 130 when interrupted."""
    options = command_line.parse(SimulateOptions, words, PROGRAM)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    try:
        with checking():
            if options.export is not None:
                return _export(options, console)
            return _simulate(options, console)
    except BadInput as error:
        return command_line.refuse(str(error))


def _export(options: SimulateOptions, console: Console) -> int:
    if options.out is None:
        raise ValueError("--export needs --out FILE.csv")
    _check_out(options.out)
    rows = table_export.write(Path(str(options.export)), options.out)
    console.print(f"{count(rows, 'configuration')} in {options.out}", soft_wrap=True)
    return 0


def _simulate(options: SimulateOptions, console: Console) -> int:
    workers = _numbers(options.workers)
    strategies = _strategies(options)
    if options.seeds < 1:
        raise ValueError(f"--seeds {options.seeds}: 1 or more")
    if options.out is not None:
        _check_out(options.out)
    if not options.tables:
        raise ValueError("no table is named: give the file of one")
    tables = [curve_table.read(path) for path in options.tables]
    names = [table.name for table in tables]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two tables are called {twice[0]}: a table's name must tell it apart")
    short = [table.name for table in tables if table.epochs < LEAST_EPOCHS]
    if short:
        raise ValueError(f"table {short[0]} has fewer than {LEAST_EPOCHS} epochs")
    if options.trials is not None:
        if options.trials < 1:
            raise ValueError(f"--trials {options.trials}: 1 or more")
        for each in workers:
            found = decision_times.run(options.tables[0], each, options.trials, console)
            console.print(str(found), highlight=False, soft_wrap=True)
        return 0
    if options.objectives == "accuracy,cost":
        _areas(options, workers, console)
        return 0
    if options.objectives != "accuracy":
        raise ValueError(f"--objectives {options.objectives}: accuracy, or accuracy,cost")
    _compare(options, strategies, workers, console)
    return 0


def _check_out(path: Path) -> None:
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: there is no folder {path.parent}")
    if path.is_dir() or path.suffix != ".csv":
        raise ValueError(f"--out {path}: the name of a file that ends in .csv")


def _compare(
    options: SimulateOptions, strategies: list[str], workers: list[int], console: Console
) -> None:
    todo = comparison.tasks(options.tables, strategies, workers, options.seeds)
    with _progress(console) as progress:
        bar = progress.add_task("Replaying", total=len(todo))
        results = comparison.run(todo, lambda: progress.advance(bar))
    lines = [line for line in comparison.lines(results) if line.result.task.strategy in strategies]
    console.print(_table(lines, workers))
    console.print(
        "ratio: random search's median cost over the strategy's, to the same accuracy; makespan: "
        "in mean full trainings; of variants the best is shown",
        soft_wrap=True,
    )
    if options.out is not None:
        _write(options.out, results)
        figure = options.out.with_suffix(".png")
        _draw(results, figure)
        console.print(f"{options.out} and {figure}", soft_wrap=True)


def _draw(results: list[Result], path: Path) -> None:
    os.environ["MPLBACKEND"] = "agg"  # a notebook's backend may be missing in this Python
    from search.replay.comparison_figure import draw

    draw(results, path)


def _areas(options: SimulateOptions, workers: list[int], console: Console) -> None:
    with _progress(console) as progress:
        bar = progress.add_task("Replaying", total=len(options.tables) * len(workers))
        found = hypervolumes.measure(
            options.tables, workers, options.seeds, lambda: progress.advance(bar)
        )
    console.print(_area_table(found))


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        "{task.description}",
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _table(lines: Sequence[Line], workers: Sequence[int]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("table", "workers", "strategy", "variant", "ratio", "quartiles", "failed"):
        left = name in ("table", "strategy", "variant")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    table.add_column("makespan", justify="right")
    for line in lines:
        task = line.result.task
        table.add_row(
            line.result.table,
            str(task.workers),
            task.strategy,
            task.variant,
            f"{line.ratio:.2f}",
            f"{line.quartiles[0]:.2f} to {line.quartiles[1]:.2f}",
            f"{line.result.failed:.0%}",
            f"{line.makespan / line.result.full_cost:.2f}",
        )
    return table


def _area_table(found: Sequence[Area]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("table", "workers", "random, full cost", "default, a quarter", "ratio"):
        table.add_column(name, justify="left" if name == "table" else "right", no_wrap=True)
    for each in found:
        ratio = each.ours / each.random
        row = (each.table, str(each.workers), f"{each.random:.4f}", f"{each.ours:.4f}")
        table.add_row(*row, f"{ratio:.3f}")
    return table


def _write(path: Path, results: Sequence[Result]) -> None:
    rows = [_row(result, each) for result in results for each in result.scores]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _row(result: Result, score: Score) -> dict[str, Any]:
    """A replay's row of --out: costs and times in simulated seconds, `replay_seconds` in wall-clock
    seconds."""
    return {
        "table": result.table,
        "workers": result.task.workers,
        "strategy": result.task.strategy,
        "variant": result.task.variant,
        "seed": score.seed,
        "target": f"{result.target:.6g}",
        "reached": int(score.reached),
        "cost": f"{score.cost:.6g}" if score.reached else "",
        "full_cost": f"{result.full_cost:.6g}",
        "makespan": f"{score.makespan:.6g}",
        "trials": score.trials,
        "replay_seconds": f"{score.seconds:.3f}",
    }


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [0]
    if min(numbers) < 1:
        raise ValueError(f"--workers {text}: whole numbers from 1, as 1,16")
    return numbers


def _strategies(options: SimulateOptions) -> list[str]:
    names = options.strategies.split(",")
    unknown = [name for name in names if name not in STRATEGIES]
    if unknown:
        raise ValueError(f"unknown strategy {unknown[0]!r}: of {', '.join(STRATEGIES)}")
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

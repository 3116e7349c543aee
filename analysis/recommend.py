"""`python analysis/recommend.py [RUN] --min-accuracy 0.85`: the design to take, and its cost."""

import math
import sys
from collections.abc import Sequence

import pandas as pd

from analysis.options import RecommendOptions
from analysis.run.labels import trial_label
from analysis.run.quantities import count
from analysis.run.run_folder import RunError
from analysis.sections.headline import price_of, unfinished
from analysis.sections.section_winner import design_fields
from analysis.tables import findings
from analysis.tables.choice import Limits, choose, closest
from analysis.tables.findings import Findings
from search.cli import command_line
from search.cli.standard_output import unbroken

NO_DESIGN = 1
"""Exit status where no design qualifies."""


@unbroken
def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the design to take; exit status 1 if none qualifies, 2 on bad input."""
    words = sys.argv[1:] if arguments is None else arguments
    chosen = command_line.parse(RecommendOptions, words, "python analysis/recommend.py")
    limits = Limits(chosen.min_accuracy, chosen.max_cost, chosen.max_parameters)
    wrong = _check(limits)
    if wrong:
        return command_line.refuse(wrong)
    try:
        found = findings.read(chosen.run, chosen.out)
    except RunError as error:
        return command_line.refuse(str(error))
    if limits.max_cost is not None and found.run.price is None:
        return command_line.refuse(
            f"--max-cost needs a price, and run {found.run.name} was not given one (--price)"
        )
    return _answer(found, limits)


def _answer(found: Findings, limits: Limits) -> int:
    accuracies = found.run.accuracies
    taken = choose(found.points, limits, accuracies.column)
    if taken is not None:
        print("\n".join(describe(found, int(taken["trial"]), int(taken["epochs"]))))
        return 0
    near = closest(found.points, limits, accuracies.column)
    if near is None:
        print("No design has a result yet.", file=sys.stderr)
        return NO_DESIGN
    name = found.run.state.trials[int(near["trial"])].title
    print(
        f"No design qualifies; the closest is {name} after {count(near['epochs'], 'epoch')}: "
        f"{accuracies.name} {near[accuracies.column]:.4f}, "
        f"{count(near['parameters'], 'parameter')}, "
        f"{price_of(near)} of training",
        file=sys.stderr,
    )
    return NO_DESIGN


def describe(found: Findings, trial: int, epochs: int) -> list[str]:
    """The point's accuracy, cost and design, a line each."""
    points, held_out = found.points, found.run.held_out
    row = points[(points["trial"] == trial) & (points["epochs"] == epochs)].iloc[0]
    label = trial_label(trial, str(row["name"]))
    facts: list[tuple[str, object]] = [
        *(
            (
                column.removeprefix("val_").replace("_", " "),
                f"{row[column]:.4f} on the {held_out} images"
                if pd.notna(row[column])
                else "not measured",
            )
            for column in found.run.accuracies.columns
        ),
        ("training", price_of(row)),
        ("parameters", f"{row['parameters']:,}"),
        ("flops", f"{row['flops']:,} an image"),
        *design_fields(found.run.state.trials[trial].design),
    ]
    width = max(len(name) for name, _ in facts)
    lines = [f"Take {label}, trained for {count(epochs, 'epoch')}."]
    lines += [f"  {name.ljust(width)}  {value}" for name, value in facts if name != "epochs"]
    note = unfinished(found.run)
    return [*lines, note] if note else lines


def _check(limits: Limits) -> str:
    """What is wrong with the limits; empty if nothing is."""
    if limits == Limits():
        return "give at least one of --min-accuracy, --max-cost, --max-parameters"
    accuracy = limits.min_accuracy
    if accuracy is not None and not 0 < accuracy <= 1:
        return f"--min-accuracy {accuracy:g} is not between 0 and 1 (0.85 means 85 %)"
    for name, value in (
        ("--max-cost", limits.max_cost),
        ("--max-parameters", limits.max_parameters),
    ):
        if value is not None and not 0 < value < math.inf:
            return f"{name} {value:g} is not more than 0"
    return ""


if __name__ == "__main__":
    sys.exit(main())

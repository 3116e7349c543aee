"""`python analysis/recommend.py [RUN] --min-accuracy 0.85`: the design to take, and its cost."""

import argparse
import math
import sys
from collections.abc import Sequence

from analysis import command_line, findings
from analysis.choice import Limits, choose, closest
from analysis.figure_style import trial_label
from analysis.findings import Findings
from analysis.headline import price_of, unfinished
from analysis.quantities import count
from analysis.run_folder import RunError
from analysis.section_winner import design_fields

NO_DESIGN = 1
"""Exit status where no design qualifies."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the design to take; exit status 1 if none qualifies, 2 on bad input."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    limits = Limits(chosen.min_accuracy, chosen.max_cost, chosen.max_parameters)
    if limits == Limits():
        parser.error("give at least one of --min-accuracy, --max-cost, --max-parameters")
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
    taken = choose(found.points, limits)
    if taken is not None:
        print("\n".join(describe(found, int(taken["trial"]), int(taken["epochs"]))))
        return 0
    near = closest(found.points, limits)
    if near is None:
        print("No design has a result yet.", file=sys.stderr)
        return NO_DESIGN
    name = trial_label(int(near["trial"]), str(near["name"]))
    print(
        f"No design qualifies; the closest is {name} after {count(near['epochs'], 'epoch')}: "
        f"accuracy {near['val_accuracy']:.4f}, {count(near['parameters'], 'parameter')}, "
        f"{price_of(near)} of training",
        file=sys.stderr,
    )
    return NO_DESIGN


def describe(found: Findings, trial: int, epochs: int) -> list[str]:
    """The point's accuracy, cost and design, a line each."""
    points = found.points
    row = points[(points["trial"] == trial) & (points["epochs"] == epochs)].iloc[0]
    label = trial_label(trial, str(row["name"]))
    facts: list[tuple[str, object]] = [
        ("accuracy", f"{row['val_accuracy']:.4f} on the {found.run.held_out} images"),
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


def _parser() -> command_line.Parser:
    parser = command_line.parser(
        "The design to take: the cheapest to train that reaches --min-accuracy, else the most "
        "accurate one within the limits."
    )
    parser.add_argument(
        "--min-accuracy", type=_accuracy, metavar="A", help="least accuracy, 0 to 1"
    )
    parser.add_argument(
        "--max-cost", type=_positive, metavar="X", help="most cost of training, in units of --price"
    )
    parser.add_argument(
        "--max-parameters", type=_positive, metavar="N", help="most trainable parameters"
    )
    return parser


def _accuracy(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1 (0.85 means 85 %)")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error


if __name__ == "__main__":
    sys.exit(main())

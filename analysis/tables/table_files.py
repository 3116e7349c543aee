"""Tables of a report, and their files in CSV, Markdown and LaTeX."""

import math
import re
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.cells import cell_len

from analysis.run.quantities import amount
from models.data.names import readable

_MARKDOWN = re.compile(r"[\\|*`\[\]~$]|(?<!\w)_|_(?!\w)")
_TEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "{}$&#_%"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
_TEX["["], _TEX["]"] = "{[}", "{]}"  # after \\ a bracket would be read as a length
_TEX['"'] = "''"
_WHOLE = frozenset({"trial", "epochs", "seed", "best_epoch", "epochs_planned", "number"})


class Table(NamedTuple):
    """A data frame with a title and the rule by which to read it."""

    name: str
    """Stem of the names of its files."""
    title: str
    frame: pd.DataFrame
    rule: str
    """How to read the table, and what its terms mean."""
    shown: pd.DataFrame | None = None
    """The part of the frame that the page shows; None for all of it."""


class Cells(NamedTuple):
    """The cells of a table as text."""

    header: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    """Of each column: whether it is aligned to the right."""


def cells(frame: pd.DataFrame) -> Cells:
    """The frame's cells as people read them; empty where nothing was measured."""
    header = [readable(str(column)) for column in frame.columns]
    # By position: names of classes are columns too, and need not differ from ours.
    values = [list(frame.iloc[:, number]) for number in range(len(header))]
    columns = [
        [_text(name, v) for v in column] for name, column in zip(header, values, strict=True)
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    numeric = [all(_is_number(value) for value in column) for column in values]
    return Cells(header, rows, numeric)


def write(table: Table, folder: Path) -> None:
    """Writes NAME.csv with all digits, NAME.md and NAME.tex as people read them."""
    table.frame.to_csv(
        folder / f"{table.name}.csv", index=False, encoding="utf-8", errors="backslashreplace"
    )
    (folder / f"{table.name}.md").write_text(markdown(table), encoding="utf-8")
    (folder / f"{table.name}.tex").write_text(latex(table), encoding="utf-8")


def markdown(table: Table) -> str:
    """A heading, the aligned table and its rule."""
    text = cells(table.frame)
    rows = [[_markdown_cell(cell) for cell in row] for row in (text.header, *text.rows)]
    widths = [max(3, *(cell_len(row[n]) for row in rows)) for n in range(len(text.header))]

    def line(row: list[str]) -> str:
        padded = [
            " " * (width - cell_len(cell)) + cell
            if right
            else cell + " " * (width - cell_len(cell))
            for cell, width, right in zip(row, widths, text.numeric, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    dashes = [
        "-" * (width - 1) + ":" if right else "-" * width
        for width, right in zip(widths, text.numeric, strict=True)
    ]
    lines = [line(rows[0]), line(dashes), *(line(row) for row in rows[1:])]
    return "\n".join([f"### {table.title}", "", *lines, "", table.rule, ""])


def latex(table: Table) -> str:
    """A tabular to \\input into a document, and its rule; needs no package."""
    text = cells(table.frame)
    columns = "".join("r" if right else "l" for right in text.numeric)
    rows = [" & ".join(map(escape_tex, row)) + r" \\" for row in (text.header, *text.rows)]
    return "\n".join(
        [
            f"% {table.name}: put \\input{{{table.name}.tex}} where the table shall stand.",
            r"% Needs no package; letters beyond Latin need XeLaTeX or LuaLaTeX.",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            rows[0],
            r"\hline",
            *rows[1:],
            r"\hline",
            r"\end{tabular}",
            "",
            rf"\noindent {escape_tex(table.rule)}",
            "",
        ]
    )


def escape_tex(text: str) -> str:
    """`text` escaped for LaTeX."""
    return " ".join("".join(_TEX.get(sign, sign) for sign in text).split())


def _markdown_cell(text: str) -> str:
    """`text` escaped for a cell of a Markdown table. Within a word `_` is plain text."""
    safe = _MARKDOWN.sub(r"\\\g<0>", text.replace("&", "&amp;"))
    return " ".join(safe.replace("<", "&lt;").split())


def _text(column: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return str(value) if column in _WHOLE else f"{int(value):,}"
    if not isinstance(value, Real):
        return readable(str(value))
    number = float(value)
    if column in _WHOLE:
        return f"{number:.0f}"
    if column.endswith(("accuracy", "precision", "recall", "f1")):
        return f"{number:.4f}"
    return amount(number) if math.isfinite(number) else str(number)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, bool))

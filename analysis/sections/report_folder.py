"""Writes a report's tables and figures to its folder, and gives them as blocks for the page."""

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from analysis.figures.class_labels import FILE, ClassLabels, labels_of
from analysis.figures.figure_style import style
from analysis.tables import table_files
from analysis.tables.table_files import Cells, Table


class TableBlock(NamedTuple):
    """A table on the page."""

    title: str
    cells: Cells
    rule: str
    note: str
    """Where the rest is, if rows or columns are left out."""


class FigureBlock(NamedTuple):
    """A figure on the page."""

    title: str
    caption: str
    source: str
    """A data: URL."""


class ReportFolder:
    """The folder of one report: index.html, tables/ and figures/."""

    def __init__(self, folder: Path, labels: ClassLabels | None = None) -> None:
        """Makes the folder; takes away tables and figures that an earlier report left there.

        `labels` are those of the classes: figures are drawn with the fonts that they need.
        """
        self.folder, self._labels = folder, labels or labels_of(())
        self.tables = folder / "tables"
        self.figures = folder / "figures"
        for part, endings in (
            (self.tables, ("csv", "md", "tex")),
            (self.figures, ("png", "svg", "txt")),
        ):
            part.mkdir(parents=True, exist_ok=True)
            for ending in endings:
                for old in part.glob(f"*.{ending}"):
                    old.unlink()
        if self._labels.numbered:
            listing = self._labels.listing
            (self.figures / FILE).write_text(listing, encoding="utf-8")

    def add_table(self, table: Table) -> TableBlock:
        """Writes the table as CSV, Markdown and LaTeX."""
        table_files.write(table, self.tables)
        shown = table.frame if table.shown is None else table.shown
        note = ""
        if shown.shape != table.frame.shape:
            rows, columns = table.frame.shape
            note = (
                f"{len(shown)} of {rows} rows and {shown.shape[1]} of {columns} columns; "
                f"all in tables/{table.name}.csv."
            )
        return TableBlock(table.title, table_files.cells(shown), table.rule, note)

    def add_figure(
        self, name: str, title: str, caption: str, draw: Callable[[], Figure], raster: bool = False
    ) -> FigureBlock:
        """Draws the figure and writes it as PNG and SVG; `raster` puts the PNG on the page."""
        with style(self._labels.families):
            figure = draw()
            contents = {}
            for ending in ("png", "svg"):
                buffer = BytesIO()
                metadata = {"Date": None} if ending == "svg" else None
                figure.savefig(buffer, format=ending, metadata=metadata)
                figure.set_layout_engine("none")  # found once, kept for the second format
                contents[ending] = buffer.getvalue()
                (self.figures / f"{name}.{ending}").write_bytes(contents[ending])
        kind, ending = ("image/png", "png") if raster else ("image/svg+xml", "svg")
        encoded = base64.b64encode(contents[ending]).decode("ascii")
        return FigureBlock(title, caption, f"data:{kind};base64,{encoded}")

"""Renders the report's HTML page, one self-contained file."""

from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.sections.report_folder import FigureBlock, TableBlock


class Gallery(NamedTuple):
    """A collapsible block of figures or facts."""

    summary: str
    figures: Sequence[FigureBlock] = ()
    is_open: bool = False
    facts: Sequence[tuple[str, str]] = ()


class Section(NamedTuple):
    """A section of the page: a heading, and what stands below it."""

    anchor: str
    title: str
    paragraphs: Sequence[str] = ()
    figures: Sequence[FigureBlock] = ()
    tables: Sequence[TableBlock] = ()
    galleries: Sequence[Gallery] = ()
    facts: Sequence[tuple[str, str]] = ()


class Page(NamedTuple):
    """Content of the page."""

    title: str
    subtitle: str
    headline: Sequence[str]
    notice: str
    """Shown first if the run is unfinished or is the transcript's; else empty."""
    sections: Sequence[Section]


def render(page: Page) -> str:
    """The page as HTML; whatever it shows is escaped."""
    environment = Environment(
        loader=PackageLoader("analysis.sections", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(page=page)

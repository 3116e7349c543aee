"""`python analysis/report.py [RUN]`: tables, figures and one self-contained page of a run."""

import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.figures.class_labels import labels_of
from analysis.options import ReportOptions
from analysis.run.run_facts import summary
from analysis.run.run_folder import RunError
from analysis.sections import headline, section_run, section_trials, section_winner
from analysis.sections.page import Page, Section, render
from analysis.sections.report_folder import ReportFolder
from analysis.sections.section_activations import activations_section
from analysis.sections.section_cost import (
    bill_section,
    epochs_section,
    front_section,
    search_section,
)
from analysis.tables import findings
from analysis.tables.findings import Findings
from search.cli import command_line
from search.cli.standard_output import unbroken


@unbroken
def main(arguments: Sequence[str] | None = None) -> int:
    """Writes RUN/report and prints where its page is; gives the exit status, 2 on bad input."""
    words = sys.argv[1:] if arguments is None else arguments
    chosen = command_line.parse(ReportOptions, words, "python analysis/report.py")
    try:
        found = findings.read(chosen.run, chosen.out)
        page = write(found)
    except RunError as error:
        return command_line.refuse(str(error))
    except OSError as error:
        return command_line.refuse(f"the report cannot be written: {error}")
    print(page)
    print(headline.winner_line(found))
    return 0


def write(found: Findings) -> Path:
    """Writes the report below the run's folder; the path of its page. OSError if it cannot."""
    classes = labels_of(found.winner.classes if found.winner else ())
    report = ReportFolder(found.run.folder / "report", classes)
    path = report.folder / "index.html"
    page = render(page_of(found, report))
    path.write_text(page, encoding="utf-8", errors="backslashreplace")
    return path


def page_of(found: Findings, report: ReportFolder) -> Page:
    """The page, whose tables and figures are written to `report` on the way."""
    run = found.run
    answer = headline.headline(found)
    notice = headline.unfinished(run)
    return Page(
        title=f"kneepoint: {run.name}",
        subtitle=summary(run),
        headline=[sentence for sentence in answer if sentence != notice],
        notice=notice,
        sections=sections(found, report),
    )


def sections(found: Findings, report: ReportFolder) -> list[Section]:
    """The page's sections in order; those that have nothing to show are left out."""
    if not found.run.state.trials:
        return [section_run.run_section(found)]
    made: list[Section | None] = [
        section_run.transcript_section(found, report) if found.run.is_transcript else None,
        front_section(found, report),
        epochs_section(found, report),
        *([] if found.run.is_transcript else [search_section(found, report)]),
        section_winner.winner_section(found, report),
        section_winner.scores_section(found, report),
        activations_section(found, report),
        section_trials.trials_section(found, report),
        section_trials.importance_section(found, report),
        bill_section(found, report),
        section_run.run_section(found),
    ]
    return [section for section in made if section is not None]


if __name__ == "__main__":
    sys.exit(main())

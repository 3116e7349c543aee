"""The sections on the transcript's claims, and on a run's hardware, data and settings."""

from analysis.claims.claim_evidence import gather
from analysis.claims.verdicts import transcript_table
from analysis.run.run_facts import run_facts, settings
from analysis.sections.page import Gallery, Section
from analysis.sections.report_folder import ReportFolder
from analysis.tables.findings import Findings
from models.data import class_counts


def transcript_section(found: Findings, report: ReportFolder) -> Section:
    """The transcript's claims with their verdicts."""
    best = found.best.trial if found.best else None
    metrics = found.winner.metrics if found.winner else {}
    table = report.add_table(transcript_table(gather(found.run, best, metrics)))
    return Section("transcript", "The transcript's claims", tables=[table])


def run_section(found: Findings) -> Section:
    """Hardware, data, versions and settings."""
    dataset, counts = found.run.record["dataset"], found.run.record.get("class_counts") or []
    notices = [str(notice) for notice in dataset.get("notices") or ()]
    classes = [str(name) for name in dataset.get("classes") or ()]
    if len(classes) == len(counts):
        notices += [text] if (text := class_counts.notice(classes, counts)) else []
    return Section(
        anchor="run",
        title="What it ran on",
        paragraphs=notices,
        facts=run_facts(found.run),
        galleries=[Gallery("All settings", facts=settings(found.run))],
    )

"""The sections that frame the rest: the transcript's claims, and what the run was."""

from analysis.claim_evidence import gather
from analysis.findings import Findings
from analysis.page import Gallery, Section
from analysis.report_folder import ReportFolder
from analysis.run_facts import run_facts, settings
from analysis.verdicts import transcript_table


def transcript_section(found: Findings, report: ReportFolder) -> Section:
    """The transcript's claims beside what was measured."""
    best = found.best.trial if found.best else None
    metrics = found.winner.metrics if found.winner else {}
    table = report.add_table(transcript_table(gather(found.run, best, metrics)))
    return Section("transcript", "The transcript's claims", tables=[table])


def run_section(found: Findings) -> Section:
    """Hardware, data, versions and settings."""
    notices = [str(notice) for notice in found.run.record["dataset"].get("notices") or ()]
    return Section(
        anchor="run",
        title="What it ran on",
        paragraphs=notices,
        facts=run_facts(found.run),
        galleries=[Gallery("All settings", facts=settings(found.run))],
    )

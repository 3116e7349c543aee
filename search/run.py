"""The command-line entry point of a search: python search/run.py [debug | transcript] [options]."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from search.cli import command_line, host_checks
from search.cli.interrupt import ending_cleanly
from search.cli.options import DebugOptions, RunOptions, SearchOptions, TranscriptOptions
from search.cli.standard_output import unbroken

if TYPE_CHECKING:
    from search.session.run_storage import LastCopy

NO_RESULT = 1
"""Exit status where no trial has a result, a fault stopped the search, another process took over
the run, or the cluster could not be taken down although --cluster-down was given."""
PROGRAM = "python search/run.py"


@unbroken
def main(words: Sequence[str]) -> int:
    """Runs the command; returns the exit status: 0, NO_RESULT (1), 2 for bad input, 130 when
    interrupted."""
    with ending_cleanly():
        return _main(words)


def _main(words: Sequence[str]) -> int:
    first = words[0] if words else ""
    try:
        if first == "debug":
            return _debug(command_line.parse(DebugOptions, words[1:], f"{PROGRAM} debug"))
        if first == "transcript":
            kind = TranscriptOptions
            return _run(command_line.parse(kind, words[1:], f"{PROGRAM} transcript"))
        return _run(command_line.parse(SearchOptions, words, PROGRAM), words)
    except command_line.BadInput as error:
        return command_line.refuse(str(error))


def _debug(options: DebugOptions) -> int:
    from search.session.debug_training import debug

    debug(options, _console())
    return 0


def _run(options: RunOptions, words: Sequence[str] = ()) -> int:
    with command_line.checking():
        host_checks.check_user()
    # Imported here: the debug mode does not need Ray, and --help should not wait for it.
    from search.record.run_folder import read_info
    from search.session.run_session import run
    from search.session.run_storage import LastCopy

    named = {w[2:].partition("=")[0].replace("-", "_") for w in words if w.startswith("--")}
    last_copy = LastCopy()
    try:
        folder, went_well = run(options, _console(), named, last_copy)
        went_well = _report(options, folder) and went_well
    except (command_line.BadInput, KeyboardInterrupt):
        raise
    except BaseException:
        _take_down(options, last_copy)  # also after a failure: the run may be unattended
        raise
    if read_info(folder)["state"] != "interrupted":
        went_well = _take_down(options, last_copy) and went_well
    elif options.cluster_down:
        print("The cluster stays: the run was cut, and can go on")
    return 0 if went_well else NO_RESULT


def _report(options: RunOptions, folder: Path) -> bool:
    """Makes the report of a transcript run, or prints the command for it; whether it succeeded."""
    if isinstance(options, TranscriptOptions):
        report = [sys.executable, "-m", "analysis.report", str(folder)]
        return subprocess.run(report, check=False).returncode == 0  # it says what is wrong
    print(f"Report: python analysis/report.py {folder}")
    return True


def _console() -> Console:
    """A console that prints text verbatim: an image class may be called [/b] or :cat:."""
    return Console(markup=False, emoji=False)


def _take_down(options: RunOptions, last_copy: "LastCopy") -> bool:
    """Takes the cluster down (--cluster-down) unless the run would lose files with it; whether the
    request is fulfilled."""
    if not options.cluster_down:
        return True
    from search.cluster import ray_up

    missing = last_copy.missing()
    if not missing:
        try:
            ray_up.take_down()
        except OSError as error:
            missing = f"ray down cannot be started ({error})"
    if missing:
        command_line.refuse(f"the cluster stays: {missing}; save that, then end it by ray down")
        return False
    print(f"The cluster is being taken down: {ray_up.LOG}")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

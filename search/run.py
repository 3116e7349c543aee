"""The command: python search/run.py [debug | transcript] [options]."""

import subprocess
import sys
from collections.abc import Sequence

from rich.console import Console

from search import command_line, surroundings
from search.interrupt import ending_cleanly
from search.options import DebugOptions, RunOptions, SearchOptions, TranscriptOptions
from search.output import unbroken

NO_RESULT = 1
"""Exit status where no trial has a result, or a fault stopped the search."""
PROGRAM = "python search/run.py"


@unbroken
def main(words: Sequence[str]) -> int:
    """Runs the command; its exit status: 0, 1 without a result or when a fault stopped it, 2 for
    bad input, 130 when cut."""
    with ending_cleanly():
        return _main(words)


def _main(words: Sequence[str]) -> int:
    first = words[0] if words else ""
    command_line.print_any_name()
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
    from search.debug import debug

    debug(options, Console())
    return 0


def _run(options: RunOptions, words: Sequence[str] = ()) -> int:
    with command_line.checking():
        surroundings.check_user()
    # Imported here: the debug mode does without Ray, and --help without any wait.
    from search.run_folder import read_info
    from search.session import run

    named = {w[2:].partition("=")[0].replace("-", "_") for w in words if w.startswith("--")}
    try:
        folder, went_well = run(options, Console(), named)
    except (command_line.BadInput, KeyboardInterrupt):
        raise
    except BaseException:
        _take_down(options)  # nobody may be there to see what went wrong
        raise
    if isinstance(options, TranscriptOptions):
        report = [sys.executable, "-m", "analysis.report", str(folder)]
        went_well &= subprocess.run(report, check=False).returncode == 0  # it says what is wrong
    else:
        print(f"Report: python analysis/report.py {folder}")
    if read_info(folder)["state"] != "interrupted":
        _take_down(options)
    return 0 if went_well else NO_RESULT


def _take_down(options: RunOptions) -> None:
    if options.cluster_down:
        from search import ray_up

        ray_up.take_down()
        print(f"The cluster is being taken down: {ray_up.LOG}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

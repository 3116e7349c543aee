"""What the commands of analysis/ have in common: bad input is one line and exit status 2."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """argparse, but an error is one line without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def parser(description: str) -> Parser:
    """A parser with the options that say which run is meant."""
    made = Parser(description=description, allow_abbrev=False)
    made.add_argument(
        "run", nargs="?", metavar="RUN", help="a run's name or folder; without it, the newest run"
    )
    made.add_argument(
        "--out", type=Path, default=Path("runs"), metavar="DIR", help="the folder of runs (runs)"
    )
    return made


def refuse(message: str) -> int:
    """Says on stderr what was wrong, on one line; gives the exit status."""
    print(" ".join(message.split()), file=sys.stderr)
    return 2

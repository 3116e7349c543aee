"""The progress display of a search: one live status line, and a line for each trial that ends."""

import threading

from rich.console import Console
from rich.live import Live
from rich.text import Text

from models import short_design
from models.quantities import count, duration
from search.record.recorder import Recorder
from search.record.state import Trial
from search.terms.budget import Budget
from search.terms.metric import tell

EVERY_SECONDS = 60
"""The interval at which the line is printed where the output is no terminal."""


class LiveLine:
    """Shows the status line of a search while entered."""

    def __init__(
        self, recorder: Recorder, budget: Budget, console: Console, *, both: bool = False
    ) -> None:
        """With `both`, balanced accuracy is shown beside accuracy."""
        self._both = both
        self._recorder, self._budget, self._console = recorder, budget, console
        self._left = threading.Event()
        self._live = Live(
            get_renderable=self._text, console=console, refresh_per_second=2, transient=True
        )
        self._printer = threading.Thread(target=self._print, daemon=True)

    def __enter__(self) -> "LiveLine":
        if self._console.is_terminal:
            self._live.start()
        else:
            self._printer.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._left.set()
        if self._console.is_terminal:
            self._live.stop()

    def trial_ended(self, trial: Trial) -> None:
        """Prints one line for a trial that paused or ended."""
        self._console.print(Text(describe(trial, both=self._both)), soft_wrap=True)

    def _text(self) -> Text:
        line = status(self._recorder, self._budget, both=self._both)
        return Text(line, overflow="ellipsis", no_wrap=True)

    def _print(self) -> None:
        while not self._left.wait(EVERY_SECONDS):
            self._console.print(self._text(), soft_wrap=True)


def status(recorder: Recorder, budget: Budget, *, both: bool = False) -> str:
    """The status line: time, trials by state, and the incumbent."""
    trials = list(recorder.state.trials.values())
    counts = [
        f"{number} {state}"
        for state in ("running", "paused", "finished", "stopped", "failed")
        if (number := sum(trial.state == state for trial in trials))
    ]
    clock = _clock(recorder.seconds())
    if budget.seconds < float("inf"):
        clock += f" of {_clock(budget.seconds)}"
    parts = [clock, ", ".join(counts) or "starting"]
    winner = recorder.state.winner
    if winner and winner.best:
        best = tell(winner.best, winner.metric, both=both)
        parts.append(f"best {best}, {winner.title}")
    return " | ".join(parts)


def describe(trial: Trial, *, both: bool = False) -> str:
    """One line about a trial: its best score, how it ended, its network."""
    end = trial.state + (f" ({trial.reason})" if trial.reason else "")
    best = tell(trial.best, trial.metric, both=both) if trial.best else "no result"
    name = f" {trial.name}" if trial.name else ""
    return (
        f"trial {trial.trial:>3}{name}: {best} after {count(trial.last_epoch, 'epoch')}, "
        f"{end}; {short_design.describe(trial.design)}; {count(trial.parameters, 'parameter')}, "
        f"{duration(trial.train_seconds())} of training"
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

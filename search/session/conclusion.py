"""The end of a run: writes the winner, scores it on the test images, and sets the state in
run.json."""

import contextlib
from dataclasses import dataclass

from models.data.images import DataError
from models.data.selection import subsets
from models.error_text import first_line
from models.quantities import count
from search.record import checkpoint_retention, run_folder
from search.record.recorder import Recorder
from search.session.session import Session
from search.storage.store import Store
from search.terms.metric import tell, tell_both
from search.winner import winner_folder
from search.winner.model_card import Search


@dataclass(frozen=True)
class Outcome:
    """How the training of a run's trials ended."""

    interrupted: bool
    """Whether the user ended it."""
    fault: str
    """The fault of the run that stopped it, in a line; empty without one."""


def conclude(session: Session, recorder: Recorder, store: Store, outcome: Outcome) -> bool:
    """Writes the winner and the run's end; whether there is a winner and no fault.

    A search that was cut short does not open the test images, for it may be resumed.
    """
    console, folder, best = session.console, session.folder, recorder.state.winner
    fault = outcome.fault
    try:
        checkpoint_retention.sweep(store, recorder.state)
        _write_winner(session, recorder, store, cut=outcome.interrupted or bool(fault))
        state = "finished" if best else "failed"
        run_folder.write_info(
            folder,
            state="interrupted" if outcome.interrupted or fault else state,
            ended=run_folder.now(),
            wall_seconds=round(recorder.seconds(), 1),
        )
    except (
        OSError,
        ValueError,
        winner_folder.Gone,
    ) as error:  # ValueError: the images cannot be read
        unwritten = f"the winner's files cannot be written: {first_line(error)}"
        known = isinstance(error, winner_folder.Gone | DataError)
        fault = fault or (first_line(error) if known else unwritten)
        with contextlib.suppress(OSError):
            run_folder.write_info(folder, state="interrupted", ended=run_folder.now())
    if fault:
        line = f"The search stopped: {fault}. When that is mended, go on with --resume {folder}"
        console.print(line, soft_wrap=True, highlight=False)
    return best is not None and not fault


def _write_winner(session: Session, recorder: Recorder, store: Store, *, cut: bool) -> None:
    """Writes the winner's folder and prints the winner; scores it on the test images unless the
    search was `cut`."""
    console, best = session.console, recorder.state.winner
    if best is None or best.best is None:
        console.print("No trial has a result: there is no winner.")
        return
    held_out, uneven = session.job.validate_on, session.is_uneven
    _, validation = subsets(session.dataset, session.selection)
    search = Search(session.folder.name, len(recorder.state.trials), recorder.price)
    tested = winner_folder.write(
        session.folder, store, best, session.dataset, validation, held_out, search, score=not cut
    )
    line = (
        f"{'Leads so far' if cut else 'Winner'}: {best.title} after "
        f"{count(best.best['epoch'], 'epoch')}, {tell(best.best, best.metric, both=uneven)} on "
        f"{count(len(session.selection.validation), f'{held_out} image')}"
    )
    if tested is not None and held_out != "test":
        balanced = tested["balanced_accuracy"]
        line += f"; {tell_both(tested['accuracy'], balanced, best.metric, both=uneven)} on "
        line += count(session.dataset.test_count, "test image")
    console.print(line, soft_wrap=True, highlight=False)

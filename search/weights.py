"""Where a trial keeps its checkpoints, and which are kept for how long.

`checkpoints/N/epoch-0003.pt` is all that trial N needs to go on after epoch 3, its network's
weights among it.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from search.front import non_dominated
from search.state import SearchState, Trial


def trial_folder(run: Path, trial: int) -> Path:
    """Where trial number `trial` keeps its files."""
    return run / "checkpoints" / str(trial)


def checkpoint_file(run: Path, trial: int, epoch: int) -> Path:
    """The checkpoint of a trial after `epoch`."""
    return trial_folder(run, trial) / f"epoch-{epoch:04d}.pt"


def keep_needed(run: Path, trial: Trial) -> None:
    """Deletes a running trial's checkpoints but those of its best epoch, of the last one that was
    told, and of epochs to be told."""
    told = trial.last_epoch
    _keep(run, trial, lambda epoch: epoch >= told)


def sweep(run: Path, state: SearchState) -> None:
    """Deletes what neither a running trial nor a point of the front needs.

    Worth doing once more when all has ended: a stopped trial's worker may have been writing.
    """
    held = [trial for trial in state.trials.values() if trial.best]
    points = [(t.best["val_accuracy"], t.train_seconds(t.best["epoch"])) for t in held if t.best]
    needed = {held[index].trial for index in non_dominated(points)}
    if state.winner:  # of equally accurate trials it need not be the one trained the fastest
        needed.add(state.winner.trial)
    for folder in (run / "checkpoints").glob("[0-9]*"):
        trial = state.trials[int(folder.name)]
        if trial.state == "running":
            continue
        if trial.trial in needed:
            _keep(run, trial, lambda epoch: False)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _keep(run: Path, trial: Trial, also: Callable[[int], bool]) -> None:
    best = trial.best["epoch"] if trial.best else None
    for path in trial_folder(run, trial.trial).glob("epoch-*.pt"):
        epoch = int(path.stem.partition("-")[2])
        if epoch != best and not also(epoch):
            path.unlink(missing_ok=True)

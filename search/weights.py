"""Where a trial keeps its checkpoint and its weights, and which are kept for how long.

`checkpoints/N/last.pt` is what trial N goes on from; `checkpoints/N/epoch-0003.pt` are the weights
after an epoch that counts as a result.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from search.front import non_dominated
from search.state import SearchState, Trial


def trial_folder(run: Path, trial: int) -> Path:
    """Where trial number `trial` keeps its files."""
    return run / "checkpoints" / str(trial)


def checkpoint_file(folder: Path) -> Path:
    """What a trial goes on from."""
    return folder / "last.pt"


def weights_file(folder: Path, epoch: int) -> Path:
    """The weights after `epoch`."""
    return folder / f"epoch-{epoch:04d}.pt"


def keep_best(run: Path, trial: Trial) -> None:
    """Deletes a running trial's weights but those of its best epoch, and of epochs to be told."""
    told = trial.epochs[-1]["epoch"] if trial.epochs else 0
    _keep(run, trial, lambda epoch: epoch > told)


def sweep(run: Path, state: SearchState) -> None:
    """Deletes what neither a running trial nor a point of the front needs.

    Worth doing once more when all has ended: a stopped trial's worker may have been writing.
    """
    held = [trial for trial in state.trials.values() if trial.best]
    points = [(t.best["val_accuracy"], t.train_seconds(t.best["epoch"])) for t in held if t.best]
    needed = {held[index].trial for index in non_dominated(points)}
    if state.winner:  # of equally accurate trials it need not be the one trained the fastest
        needed.add(state.winner.trial)
    for trial in state.trials.values():
        if trial.state == "running":
            continue
        if trial.trial not in needed:
            shutil.rmtree(trial_folder(run, trial.trial), ignore_errors=True)
            continue
        checkpoint_file(trial_folder(run, trial.trial)).unlink(missing_ok=True)
        _keep(run, trial, lambda epoch: False)


def _keep(run: Path, trial: Trial, also: Callable[[int], bool]) -> None:
    best = trial.best["epoch"] if trial.best else None
    for path in trial_folder(run, trial.trial).glob("epoch-*.pt"):
        epoch = int(path.stem.partition("-")[2])
        if epoch != best and not also(epoch):
            path.unlink(missing_ok=True)

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
    _keep(trial_folder(run, trial.trial), trial, lambda epoch: epoch >= told)


def sweep(run: Path, state: SearchState) -> None:
    """Deletes what neither a running or paused trial nor a point of the front needs.

    Worth doing once more when all has ended: a stopped trial's worker may have been writing.
    """
    held = [trial for trial in state.trials.values() if trial.best]
    needed = {held[index].trial for index in non_dominated([_point(trial) for trial in held])}
    if state.winner:  # of equally accurate trials it need not be the one trained the fastest
        needed.add(state.winner.trial)
    for folder in (run / "checkpoints").glob("[0-9]*"):
        trial = state.trials.get(int(folder.name))
        if trial is None or trial.state != "running":
            _settle(folder, trial, trial is not None and trial.trial in needed)


class Keeper:
    """Deletes, trial by trial, what is no longer needed, without a look at all the others."""

    def __init__(self, run: Path, state: SearchState) -> None:
        """Begins with what is needed of the trials that are there."""
        self._run, self._state = run, state
        self._front = [trial for trial in state.trials.values() if trial.best]
        self._front = [self._front[i] for i in non_dominated([_point(t) for t in self._front])]

    def settle(self, trial: Trial) -> None:
        """A trial was paused or has ended: what it and those that it outdid do not need goes."""
        before = [each for each in self._front if each is not trial]
        among = [*before, trial] if trial.best else before
        self._front = [among[i] for i in non_dominated([_point(each) for each in among])]
        outdone = [each for each in before if each not in self._front and each.state != "running"]
        for each in (*outdone, trial):
            needed = each in self._front or each is self._state.winner
            _settle(trial_folder(self._run, each.trial), each, needed)


def _point(trial: Trial) -> tuple[float, float]:
    """Accuracy and seconds of training at a trial's best; it has one."""
    assert trial.best
    return trial.best["val_accuracy"], trial.train_seconds(trial.best["epoch"])


def _settle(folder: Path, trial: Trial | None, needed: bool) -> None:
    if trial is not None and trial.state == "paused":
        last = trial.last_epoch
        _keep(folder, trial, lambda epoch: epoch == last, best=needed)
    elif trial is not None and needed:
        _keep(folder, trial, lambda epoch: False)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(folder: Path, trial: Trial, also: Callable[[int], bool], *, best: bool = True) -> None:
    kept = trial.best["epoch"] if trial.best and best else None
    for path in folder.glob("epoch-*.pt"):
        epoch = int(path.stem.partition("-")[2])
        if epoch != kept and not also(epoch):
            path.unlink(missing_ok=True)

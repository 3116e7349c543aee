"""Names of checkpoints in a run's store, and their retention: which are deleted when.

`checkpoints/N/epoch-0003.pt` is the full training state of trial N after epoch 3, its network's
weights included. Kept are the newest checkpoint of a running or paused trial, and the best one of
each trial on the front of score against training time.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from search.record.state import SearchState, Trial
from search.storage.copier import DelayedDeletion
from search.storage.store import CHECKPOINTS, Store
from search.terms.front import non_dominated


def trial_folder(trial: int) -> str:
    """The folder of a trial's checkpoints in a store."""
    return f"{CHECKPOINTS}/{trial}"


def checkpoint_name(trial: int, epoch: int) -> str:
    """The name in a store of a trial's checkpoint after `epoch`."""
    return f"{trial_folder(trial)}/epoch-{epoch:04d}.pt"


def keep_needed(store: Store, trial: Trial) -> None:
    """Deletes a running trial's checkpoints, except those of its best epoch, of the newest recorded
    one, and of later epochs, whose results are still on the way."""
    told = trial.last_epoch
    _keep(store, trial, _names(store, trial_folder(trial.trial)), lambda epoch: epoch >= told)


def sweep(store: Store, state: SearchState) -> None:
    """Deletes checkpoints that neither a running or paused trial nor a point of the front needs.

    Called when a search has ended, too: the worker of a stopped trial may have written one late.
    """
    held = [trial for trial in state.trials.values() if trial.best]
    needed = {held[index].trial for index in non_dominated([_point(trial) for trial in held])}
    if state.winner:  # of trials with equal scores it need not be the one trained the fastest
        needed.add(state.winner.trial)
    for trial, names in _by_trial(store, state):
        if trial.state != "running":
            _settle(store, trial, names, needed=trial.trial in needed)


def delete_unrecorded(store: Store, state: SearchState) -> None:
    """Deletes at once checkpoints of epochs that the ledger does not have.

    A session that was taken over has trained them. They must not be there when this session comes
    to the same epochs: a deletion that is deferred would hit the new file of that name.
    """
    for trial, names in _by_trial(store, state):
        for name in names:
            if _epoch_of(name) > trial.last_epoch:
                with contextlib.suppress(OSError):
                    store.delete(name)


class CheckpointKeeper:
    """Deletes obsolete checkpoints as trials pause and end; keeps the front of score against
    training time incrementally, without a pass over all trials."""

    def __init__(self, store: Store, state: SearchState) -> None:
        """Begins with the front of the trials in `state`."""
        self._store, self._state = store, state
        self._front = [trial for trial in state.trials.values() if trial.best]
        self._front = [self._front[i] for i in non_dominated([_point(t) for t in self._front])]

    def settle(self, trial: Trial) -> None:
        """After a trial was paused or ended: deletes obsolete checkpoints of it, and of trials that
        it pushes off the front."""
        before = [each for each in self._front if each is not trial]
        among = [*before, trial] if trial.best else before
        self._front = [among[i] for i in non_dominated([_point(each) for each in among])]
        outdone = [each for each in before if each not in self._front and each.state != "running"]
        for each in (*outdone, trial):
            needed = each in self._front or each is self._state.winner
            names = _names(self._store, trial_folder(each.trial))
            _settle(self._store, each, names, needed=needed)


def _by_trial(store: Store, state: SearchState) -> Iterator[tuple[Trial, list[str]]]:
    """The trials of `state` that have checkpoints, with their names, from one listing."""
    by_trial: dict[str, list[str]] = {}
    for name in _names(store, CHECKPOINTS):
        by_trial.setdefault(PurePosixPath(name).parent.name, []).append(name)
    for folder, names in by_trial.items():
        trial = state.trials.get(int(folder)) if folder.isdigit() else None
        if trial is not None:
            yield trial, names


def _names(store: Store, folder: str) -> list[str]:
    """The files below `folder`; none where the storage cannot be read, since a failed clean-up must
    not end a search."""
    try:
        return store.names(folder)
    except OSError:
        return []


def _epoch_of(name: str) -> int:
    return int(PurePosixPath(name).stem.partition("-")[2])


def _point(trial: Trial) -> tuple[float, float]:
    """(score, worker-seconds of training) at the best epoch of a trial that has one."""
    assert trial.best and trial.score is not None
    return trial.score, trial.train_seconds(trial.best["epoch"])


def _settle(store: Store, trial: Trial, names: Iterable[str], *, needed: bool) -> None:
    if trial.state == "paused":
        last = trial.last_epoch
        _keep(store, trial, names, lambda epoch: epoch == last, best=needed)
    elif needed:
        _keep(store, trial, names, lambda epoch: False)
    else:
        with contextlib.suppress(OSError):
            store.delete_folder(trial_folder(trial.trial))


def _keep(
    store: Store,
    trial: Trial,
    names: Iterable[str],
    also: Callable[[int], bool],
    *,
    best: bool = True,
) -> None:
    kept = trial.best["epoch"] if trial.best and best else None
    for name in names:
        epoch = _epoch_of(name)
        if epoch == kept or also(epoch):
            if isinstance(store, DelayedDeletion):
                store.keep(name)
        else:
            with contextlib.suppress(OSError):  # a failed clean-up must not end a search
                store.delete(name)

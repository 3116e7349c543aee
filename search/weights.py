"""Where a trial keeps its checkpoint and its weights, and which are kept for how long.

`checkpoints/N/last.pt` is what trial N goes on from; `checkpoints/N/epoch-0003.pt` are the weights
after an epoch that counts as a result.
"""

import shutil
from pathlib import Path

from models.design import Design
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


def counts_as_result(design: Design, epoch: int) -> bool:
    """Whether who trains the design for just `epoch` epochs gets what it had then."""
    return design.schedule == "constant" or epoch == design.epochs


def keep_best(run: Path, trial: Trial) -> None:
    """Deletes a trial's weights but those of its best epoch, and of epochs not yet told of."""
    told = trial.epochs[-1]["epoch"] if trial.epochs else 0
    best = trial.best
    for path in trial_folder(run, trial.trial).glob("epoch-*.pt"):
        epoch = int(path.stem.partition("-")[2])
        if epoch <= told and not (best and epoch == best["epoch"]):
            path.unlink(missing_ok=True)


def sweep(run: Path, state: SearchState, trial: Trial) -> None:
    """When `trial` has ended: deletes what no running trial and no point of the front needs."""
    folder = trial_folder(run, trial.trial)
    told = trial.epochs[-1]["epoch"] if trial.epochs else 0
    for path in folder.glob("epoch-*.pt"):
        if int(path.stem.partition("-")[2]) > told:  # trained ahead of the decision to stop
            path.unlink(missing_ok=True)
    checkpoint_file(folder).unlink(missing_ok=True)
    held = [t for t in state.trials.values() if t.best]
    points = [(t.best["val_accuracy"], t.train_seconds(t.best["epoch"])) for t in held if t.best]
    needed = {held[index].trial for index in non_dominated(points)}
    if state.winner:  # of equally accurate trials it need not be the one trained the fastest
        needed.add(state.winner.trial)
    for other in state.trials.values():
        if other.state != "running" and other.trial not in needed:
            shutil.rmtree(trial_folder(run, other.trial), ignore_errors=True)

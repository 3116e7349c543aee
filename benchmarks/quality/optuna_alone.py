"""Baseline: Optuna alone, TPE with Hyperband, one process a core, with our space and our loop."""

import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmarks.quality.images import Compared, compared, test_accuracy
from models.quantities import count, duration
from models.training.precision import Chooser
from models.training.training_run import Training
from search.space.design_space import NetworkSpace

MAX_EPOCHS = 27


def main() -> None:
    """Searches on all cores, and prints the accuracy of the best network."""
    given = compared("benchmarks.quality.optuna_alone", __doc__ or "")
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        journal = str(Path(folder) / "journal")
        _study(journal, given.seed)
        end = began + given.seconds
        cores = os.cpu_count() or 1
        context = multiprocessing.get_context("spawn")
        workers = [
            context.Process(target=_work, args=(given, journal, given.seed + rank, end, folder))
            for rank in range(cores)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        trials = [t for t in _study(journal, given.seed).trials if t.user_attrs.get("best")]
        best = max(trials, key=lambda trial: trial.user_attrs["best"])
        print(
            f"Optuna alone, {count(len(trials), 'trial')} on {count(cores, 'process', 'processes')}"
            f" in {duration(time.time() - began)}: {best.user_attrs['best']:.2%} on validation "
            f"images, {best.user_attrs['test']:.2%} on test images"
        )


def _study(journal: str, seed: int) -> optuna.Study:
    return optuna.create_study(
        study_name="alone",
        storage=JournalStorage(JournalFileBackend(journal)),
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
        pruner=optuna.pruners.HyperbandPruner(max_resource=MAX_EPOCHS),
        direction="maximize",
        load_if_exists=True,
    )


def _work(given: Compared, journal: str, seed: int, end: float, folder: str) -> None:
    """Trains trials on one core until the end of the time."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    shape = given.dataset.shape
    space = NetworkSpace(MAX_EPOCHS, shape[1], shape[2], frozenset({"recipe"}))
    device = torch.device("cpu")
    chooser = Chooser("auto", given.dataset, device)

    def train(trial: optuna.Trial) -> float:
        design = space.sample(trial)
        training = Training(
            design,
            given.dataset,
            given.train,
            given.validation,
            seed=seed + trial.number,
            device=device,
            precision=chooser.choose(design, len(given.train)),
        )
        best = 0.0
        while training.epoch < design.epochs and time.time() < end:
            result = training.run_epoch()
            if result.diverged or time.time() > end:
                break
            if result.val_accuracy > best:
                best = result.val_accuracy
                trial.set_user_attr("best", best)
                if best >= _best_of(trial.study):
                    trial.set_user_attr("test", test_accuracy(training, given.dataset))
            trial.report(result.val_accuracy, result.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    while time.time() < end:
        _study(journal, seed).optimize(train, n_trials=1, catch=(ValueError, RuntimeError))


def _best_of(study: optuna.Study) -> float:
    return max((t.user_attrs.get("best", 0.0) for t in study.trials), default=0.0)


if __name__ == "__main__":
    main()

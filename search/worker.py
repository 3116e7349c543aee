"""What each Ray Train worker of a trial runs: the design's training, reported epoch by epoch."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray.train
import ray.train.torch
import torch
import torch.distributed as dist

from models import checkpoint, precision
from models.dataset import Dataset, load
from models.design import Design, from_dict
from models.device import DeviceChoice, Precision, choose_device
from models.images import Subset, everything, split
from models.training import EpochResult, Training
from search import weights


@dataclass(frozen=True)
class TrialSettings:
    """What all trials of a run have in common."""

    run: str
    """The run's folder, the same path on every node."""
    dataset: Dataset
    train_images: int | None
    validate_on: str
    """validation (held out of the training images) or test (the transcript's way)."""
    precision: str
    device: DeviceChoice
    gpus_per_worker: float
    threads: int


def run_trial(config: dict[str, Any]) -> None:
    """Trains trial `config["trial"]` from its start, or from its checkpoint if it left one.

    Each worker of the trial's process group calls this.
    """
    settings: TrialSettings = config["settings"]
    torch.set_num_threads(settings.threads)
    design = from_dict(config["design"])
    folder = weights.trial_folder(Path(settings.run), config["trial"])
    if not (Path(settings.run) / "run.json").exists():
        raise FileNotFoundError(f"{settings.run} is not on storage that all nodes share: see --out")
    _train(settings, design, config["seed"], folder)


def _train(settings: TrialSettings, design: Design, seed: int, folder: Path) -> None:
    device = _device(settings)
    left = weights.checkpoint_file(folder)
    saved = checkpoint.load(left, device) if left.exists() else None
    train, validation = training_data(settings.dataset, settings.train_images, settings.validate_on)
    training = Training(
        design,
        settings.dataset,
        train,
        validation,
        seed=seed,
        device=device,
        precision=_precision(settings, design, device, saved),
    )
    if saved:
        training.load_state(saved["training"])
    while training.epoch < design.epochs:
        result = training.run_epoch()
        if not result.diverged:
            _save(training, folder)
        _report(result, training)
        if result.diverged:
            return


def training_data(
    dataset: Dataset, train_images: int | None, validate_on: str
) -> tuple[Subset, Subset]:
    """Train and validation subsets: held out of the training images, or as the transcript did."""
    train, validation = split(load(dataset, "train"), train_images)
    if validate_on == "test":
        index = torch.cat([train.index, validation.index]).sort().values
        return Subset(train.images, index), everything(load(dataset, "test"))
    return train, validation


def _device(settings: TrialSettings) -> torch.device:
    """The GPU that Ray gave to this worker; without any, not one that it can see all the same."""
    if not settings.gpus_per_worker:
        hidden = settings.device == "auto" and torch.cuda.is_available()
        return choose_device("cpu" if hidden else settings.device)
    device = ray.train.torch.get_device()
    torch.cuda.set_device(device)  # which NCCL takes for objects
    return device


def _precision(
    settings: TrialSettings, design: Design, device: torch.device, saved: dict[str, Any] | None
) -> Precision:
    """Rank 0's choice for all workers; the one of before where the trial goes on."""
    if saved:
        return Precision(*saved["precision"])
    chosen: list[Precision | None] = [None]
    if dist.get_rank() == 0:
        chosen = [precision.choose(settings.precision, design, settings.dataset, device)]
    dist.broadcast_object_list(chosen, src=0)
    assert chosen[0] is not None
    return chosen[0]


def _save(training: Training, folder: Path) -> None:
    if training.rank:
        return
    state = training.state()
    kept = (training.precision.dtype, training.precision.channels_last)
    checkpoint.save({"training": state, "precision": kept}, weights.checkpoint_file(folder))
    if training.design.is_result(training.epoch):
        checkpoint.save(state["network"], weights.weights_file(folder, training.epoch))


def _report(result: EpochResult, training: Training) -> None:
    """To Ray Train, and so to Ray Tune: rank 0's metrics, which are those of all workers."""
    ray.train.report(
        {
            "epoch_result": asdict(result)
            | {"precision": str(training.precision), "device": training.device.type},
            "epoch": result.epoch,
            "val_accuracy": 0.0 if result.diverged else result.val_accuracy,
        }
    )

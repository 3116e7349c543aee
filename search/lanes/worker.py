"""The trainer in each Ray Train worker of a lane: trains trials one after another, an epoch at a
time, and loads and saves their checkpoints."""

import gc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import ray.train
import ray.train.torch
import ray.util
import torch
import torch.distributed as dist

from models.data.dataset import Dataset
from models.data.images import to_device
from models.data.selection import Selection, subsets
from models.design import Design, from_dict
from models.training import memory, process_state
from models.training.device import DeviceChoice, Precision, choose_device, describe
from models.training.precision import Chooser
from models.training.training_run import Training
from search.cluster.node_versions import fault
from search.lanes import faults
from search.lanes.leg import Leg
from search.record import checkpoint_retention
from search.storage import checkpoint_files
from search.storage.store import Store


@dataclass(frozen=True)
class TrialSettings:
    """The settings that all trials of a run share, sent to each worker."""

    store: Store
    """Holds the checkpoints: the run's folder, or storage that all nodes can reach."""
    dataset: Dataset
    selection: Selection
    precision: str
    device: DeviceChoice
    gpus_per_worker: float
    threads: int
    versions: dict[str, str]
    """The head's versions of Python, packages and code, which every node must have."""
    make_training: Callable[..., Training] = Training
    """The class that trains; tests and benchmarks that are not about training replace it."""


class Trainer:
    """Trains legs in this process; data, device and process group are kept from trial to trial."""

    def __init__(self, settings: TrialSettings) -> None:
        _check_node(settings)
        torch.set_num_threads(settings.threads)
        self._settings = settings
        self.rank, self._workers = dist.get_rank(), dist.get_world_size()
        self._device = _device(settings)
        self._place = f"{ray.util.get_node_ip_address()}, {describe(self._device)}"
        data = subsets(settings.dataset, settings.selection)
        self._train, self._validation = to_device(data, self._device)
        self._chooser = Chooser(settings.precision, settings.dataset, self._device)
        self._process = process_state.capture()
        self._trial = -1
        self._training: Training | None = None
        # Exempts imported modules from garbage collection, which would cost a second a trial.
        gc.collect()
        gc.freeze()

    def answer(self, leg: Leg | None) -> dict[str, Any]:
        """Trains one epoch of `leg`, or with None of the current leg: the fields of EpochResult, or
        `failure` with the reason, `kind` (search/lanes/faults.py) and `place` (node, device).

        A failure is `spoiling` where the device, or the other workers, may be in a bad state: the
        lane then starts a new worker group.
        """
        try:
            if leg is not None:
                self._begin(leg)
            return self._run_epoch()
        except Exception as error:
            self._training = None
            answer = faults.describe(error)
            alone = self._workers == 1
            sound = alone and (self._device.type == "cpu" or answer["kind"] != "machine")
            return answer | {"spoiling": not sound, "place": self._place}

    def _begin(self, leg: Leg) -> None:
        """Clears the state of the previous trial, and builds the training of `leg`, or loads its
        checkpoint."""
        self._training = None
        process_state.restore(self._process)
        memory.release(self._device)
        design = from_dict(leg.design)
        name = checkpoint_retention.checkpoint_name(leg.trial, leg.from_epoch)
        store = self._settings.store
        saved = checkpoint_files.read(store, name) if leg.from_epoch else None
        self._trial = leg.trial
        self._training = self._settings.make_training(
            design,
            self._settings.dataset,
            self._train,
            self._validation,
            seed=leg.seed,
            device=self._device,
            precision=self._precision(design, leg, saved),
        )
        if saved:
            with checkpoint_files.reading(name):
                self._training.load_state(saved["training"])

    def _precision(self, design: Design, leg: Leg, saved: dict[str, Any] | None) -> Precision:
        """The precision, chosen by rank 0 for all workers; a resumed trial keeps its earlier one as
        far as this device supports it."""
        chosen: list[Precision | None] = [None]
        if self.rank == 0:
            chosen[0] = self._chooser.choose(
                design,
                len(self._train),
                epochs=(leg.to_epoch or design.epochs) - leg.from_epoch,
                workers=self._workers,
                before=Precision(*saved["precision"]) if saved else None,
            )
        if self._workers > 1:
            dist.broadcast_object_list(chosen, src=0)
        assert chosen[0] is not None
        return chosen[0]

    def _run_epoch(self) -> dict[str, Any]:
        training = self._training
        assert training is not None
        result = training.run_epoch()
        if self.rank == 0 and not result.diverged:
            precision = training.precision
            saved = {
                "training": training.state(),
                "precision": (precision.dtype, precision.channels_last, precision.graphs),
            }
            name = checkpoint_retention.checkpoint_name(self._trial, result.epoch)
            checkpoint_files.write(self._settings.store, name, saved)
        return asdict(result) | {
            "precision": str(training.precision),
            # A GPU by its model, on which the times depend.
            "device": describe(self._device) if self._device.type == "cuda" else self._device.type,
        }


def _check_node(settings: TrialSettings) -> None:
    """Raises OSError, naming the node, where it cannot train for this run. Nodes that were present
    at the start were checked before; this is for those that joined later."""
    node = ray.util.get_node_ip_address()
    wrong = fault(settings.versions, settings.store, "run.json", node)
    if wrong:
        raise OSError(wrong)


def _device(settings: TrialSettings) -> torch.device:
    """The GPU that Ray assigned to this worker; where it has none, the CPU, even if a GPU is
    visible."""
    if not settings.gpus_per_worker:
        hidden = settings.device == "auto" and torch.cuda.is_available()
        return choose_device("cpu" if hidden else settings.device)
    device = ray.train.torch.get_device()
    torch.cuda.set_device(device)  # NCCL sends objects by way of the current device
    return device

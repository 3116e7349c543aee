"""Training of one design, epoch by epoch, from a seed or resumed from a checkpoint.

Everything random in an epoch follows from (seed, epoch) alone, so that a run which resumes from a
checkpoint repeats to the last bit what it would have done, whatever its process did before.
"""

import contextlib
import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from models.data.dataset import Dataset
from models.data.images import Subset, to_device
from models.design import Design
from models.network import Shape, build
from models.training import memory, whitening
from models.training.augmentation import Normaliser
from models.training.batches import batches, cannot_share, share
from models.training.device import Precision, synchronise
from models.training.optimisation import load_optimizer, make_optimizer, make_schedule

_ORDER, _DROPOUT = 0, 1
"""Purposes of an epoch's random streams: order and augmentation of its images, the same on all
workers; and dropout, each worker's own."""
EVALUATION_BATCH = {"cuda": 2048, "mps": 1024, "cpu": 256}


@dataclass(frozen=True)
class EpochResult:
    """Metrics of one epoch; the same on every worker.

    Losses and accuracies are taken in inference mode after the epoch: on all validation images, and
    on a fixed sample of as many training images.
    """

    epoch: int
    """From 1."""
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    train_seconds: float
    """Summed over the workers, evaluation excluded."""
    eval_seconds: float
    """Summed over the workers."""
    images_per_second: float
    """Of all workers together while they train."""
    peak_memory_bytes: int
    """Peak of the worker that took most: on CUDA memory allocated there, else its resident set."""
    val_balanced_accuracy: float | None = None
    """The mean of the classes' recalls, over the classes that have validation images."""

    @property
    def diverged(self) -> bool:
        """Whether a loss is no longer a finite number."""
        return not (math.isfinite(self.train_loss) and math.isfinite(self.val_loss))


class Evaluation(NamedTuple):
    """Loss and accuracies of a network on a set of images."""

    loss: float
    """Mean cross-entropy, nats, without label smoothing."""
    accuracy: float
    balanced_accuracy: float
    """The mean of the classes' recalls, over the classes that have images."""


class Training:
    """Trains one design, as one worker of a data-parallel group or alone.

    In a group (an initialised torch.distributed with more than one process, unless `alone`) each
    worker takes its share of every batch. The update is that of one worker with the whole batch,
    but for rounding, and for batch norm and dropout, which each worker does on its own share.
    """

    def __init__(
        self,
        design: Design,
        dataset: Dataset,
        train: Subset,
        validation: Subset,
        *,
        seed: int,
        device: torch.device,
        precision: Precision,
        alone: bool = False,
    ) -> None:
        self.design, self.seed, self.device, self.precision = design, seed, device, precision
        self.epoch = 0
        self._wide = torch.float32 if device.type == "mps" else torch.float64  # mps has no double
        self.rank, self.workers = (0, 1) if alone else _group()
        self._train, self._validation, self._train_sample = to_device(
            (train, validation, train.sample(len(validation))), device
        )
        self._classes = len(dataset.classes)
        self._batch = min(design.batch_size, len(train))
        if wrong := cannot_share(design, len(train), self.workers):
            raise ValueError(wrong)
        self._normalise = Normaliser(design.normalisation, dataset.mean, dataset.deviation, device)
        torch.manual_seed(seed)
        self.network: nn.Module = self._built(dataset.shape).to(device)
        self.network.to(memory_format=precision.memory_format)
        if precision.graphs:
            self._capture(dataset.shape)
        self._parallel: nn.Module = self.network
        if self.workers > 1:  # after the capture: a graph must not hold what the workers exchange
            self._parallel = DistributedDataParallel(
                self.network, device_ids=[device] if device.type == "cuda" else None
            )
        self._optimizer = make_optimizer(design, self.network, device)
        self._schedule = make_schedule(design, self._optimizer, self.steps_per_epoch)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the training images; the rest of an epoch's shuffle is left out."""
        return len(self._train) // self._batch

    def _built(self, shape: Shape) -> nn.Module:
        """The network with its initial weights, for images of `shape`."""
        network = build(self.design, shape, self._classes)
        if self.design.initialisation == "whitened":
            some = self._train.sample(whitening.IMAGES)
            images = self._normalise(some.images.pixels[some.index])
            for first in [each for each in network.modules() if isinstance(each, nn.Conv2d)][:1]:
                whitening.whiten(first, images)
        return network

    def run_epoch(self) -> EpochResult:
        """Trains one epoch, then evaluates; ValueError if all epochs of the design are trained."""
        if self.epoch >= self.design.epochs:
            raise ValueError(f"all {self.design.epochs} epochs of the design are trained")
        started = time.perf_counter()
        self._train_epoch()
        synchronise(self.device)
        trained = time.perf_counter()
        self._share_buffers()
        trained_on = self.evaluate(self._train_sample)
        held_out = self.evaluate(self._validation)
        evaluated = time.perf_counter()
        train_seconds = self._sum(trained - started)
        return EpochResult(
            epoch=self.epoch,
            train_loss=trained_on.loss,
            train_accuracy=trained_on.accuracy,
            val_loss=held_out.loss,
            val_accuracy=held_out.accuracy,
            val_balanced_accuracy=held_out.balanced_accuracy,
            train_seconds=train_seconds,
            eval_seconds=self._sum(evaluated - trained),
            images_per_second=self.steps_per_epoch * self._batch * self.workers / train_seconds,
            peak_memory_bytes=int(self._reduce(memory.peak(self.device), dist.ReduceOp.MAX)),
        )

    def evaluate(self, subset: Subset) -> Evaluation:
        """Loss and accuracies on all images of `subset`, of which each worker evaluates its
        share."""
        self.network.eval()
        # The loss, then how many images of each class are predicted right, then how many there are.
        totals = torch.zeros(1 + 2 * self._classes, device=self.device, dtype=self._wide)
        right, there = totals[1:].view(2, self._classes)
        mine = torch.arange(self.rank, len(subset), self.workers, device=self.device)
        with torch.inference_mode():
            for rows in mine.split(EVALUATION_BATCH[self.device.type]):
                index = subset.index[rows]
                labels = subset.images.labels[index]
                logits = self._forward(self.network, self._normalise(subset.images.pixels[index]))
                totals[0] += cross_entropy(logits, labels, reduction="sum")
                hits = (logits.argmax(1) == labels).to(totals.dtype)
                right.index_add_(0, labels, hits)
                there.index_add_(0, labels, torch.ones_like(hits))
        if self.workers > 1:
            dist.all_reduce(totals)
        loss, (right, there) = float(totals[0]), totals[1:].cpu().view(2, self._classes)
        recalls = (right / there)[there > 0]
        return Evaluation(
            loss / len(subset), float(right.sum() / len(subset)), float(recalls.mean())
        )

    def state(self) -> dict[str, Any]:
        """The training's state for a checkpoint: tensors and plain values that `load_state`
        takes."""
        return {
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict() if self._schedule else {},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Resumes after the epoch of `state`, from a training of the same design and seed."""
        self.network.load_state_dict(state["network"])
        load_optimizer(self._optimizer, state["optimizer"])
        if self._schedule:
            self._schedule.load_state_dict(state["schedule"])
        self.epoch = state["epoch"]

    def _train_epoch(self) -> None:
        self.epoch += 1
        epoch = batches(
            self._train,
            self._normalise,
            self.design.augmentation,
            size=self._batch,
            rank=self.rank,
            workers=self.workers,
            seed=_epoch_seed(self.seed, self.epoch, _ORDER),
            memory_format=self.precision.memory_format,
        )
        torch.manual_seed(_epoch_seed(self.seed, self.epoch, _DROPOUT, self.rank))
        self.network.train()
        for images, labels in epoch:
            self.step(images, labels)

    def step(self, images: Tensor, labels: Tensor) -> None:
        """One optimizer update from this worker's share of a batch; does not wait for the
        device."""
        logits = self._forward(self._parallel, images)
        loss = cross_entropy(logits, labels, label_smoothing=self.design.label_smoothing)
        # Gradients are averaged over workers, whose shares may differ by one image.
        weight = len(labels) * self.workers / self._batch
        self._optimizer.zero_grad(set_to_none=True)
        (loss if weight == 1 else loss * weight).backward()
        if self.design.gradient_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.design.gradient_clip)
        self._optimizer.step()
        if self._schedule:
            self._schedule.step()

    def _forward(self, network: nn.Module, images: Tensor) -> Tensor:
        with self._autocast():
            return network(images).float()

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.precision.dtype == "fp32":
            return contextlib.nullcontext()
        # CUDA graphs replay the casts of the weights: a cache of them would be of another step.
        return torch.autocast(
            self.device.type, torch.bfloat16, cache_enabled=not self.precision.graphs
        )

    def _capture(self, shape: Shape) -> None:
        """Captures the network's training passes as CUDA graphs; the warm-up leaves no trace in
        it."""
        before = {name: value.clone() for name, value in self.network.state_dict().items()}
        rows = share(self._batch, self.rank, self.workers)  # a graph takes no other number of them
        example = torch.zeros(rows, *shape, device=self.device)
        self.network.train()
        with self._autocast():
            torch.cuda.make_graphed_callables(
                self.network, (example.contiguous(memory_format=self.precision.memory_format),)
            )
        self.network.load_state_dict(before)
        self.network.zero_grad(set_to_none=True)

    def _share_buffers(self) -> None:
        """Broadcasts rank 0's batch norm statistics, which a checkpoint keeps, to all workers."""
        if self.workers > 1:
            for buffer in self.network.buffers():
                dist.broadcast(buffer, src=0)

    def _sum(self, value: float) -> float:
        return self._reduce(value, dist.ReduceOp.SUM)

    def _reduce(self, value: float, operation: Any) -> float:
        if self.workers == 1:
            return value
        total = torch.tensor(value, dtype=self._wide, device=self.device)
        dist.all_reduce(total, operation)
        return float(total)


def _group() -> tuple[int, int]:
    """Rank of this process and number of workers; (0, 1) without a torch.distributed group."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def _epoch_seed(seed: int, epoch: int, purpose: int, rank: int = 0) -> int:
    state = np.random.SeedSequence((seed, epoch, purpose, rank)).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(1))

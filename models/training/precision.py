"""Chooses precision, memory format and CUDA graphs by a short measurement."""

import math
import time
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, replace

import torch

from models.data.dataset import Dataset
from models.design import Design
from models.training import memory
from models.training.batches import share
from models.training.device import FIXED, Precision, synchronise
from models.training.rehearsal import Rehearsal

CANDIDATES = tuple(
    Precision(dtype, channels_last) for dtype in ("fp32", "bf16") for channels_last in (True, False)
)
SECONDS = 0.25
"""Longest measurement of a candidate, seconds, after one step to warm up."""
SHARE = 0.05
"""Share of the steps of similar work that may be spent on measuring; until it is enough for a
measurement, none is made."""
_SAME_KERNELS = {"nesterov": "momentum", "adamw": "adam"}
"""Optimizers whose update costs as much as that of another."""


@dataclass(frozen=True)
class Speed:
    """Measured speed of a candidate precision on a device."""

    start_seconds: float
    step_seconds: float

    def total(self, steps: int) -> float:
        """Seconds of a training of `steps` steps."""
        return self.start_seconds + steps * self.step_seconds


@dataclass(frozen=True)
class Work:
    """What one worker computes in a leg (one stay of a trial in a lane), or in a whole training."""

    design: Design
    """Its batch size is the worker's share."""
    images: int
    """Images that the worker takes in an epoch."""
    steps: int


class Chooser:
    """Chooses the precision for one device, and caches what it measured for similar work."""

    def __init__(self, choice: str, dataset: Dataset, device: torch.device) -> None:
        """`choice` is "auto", or fixes the dtype: "fp32" or "bf16"."""
        self._choice, self._dataset, self._device = choice, dataset, device
        self._known: dict[Hashable, Precision] = {}
        self._allowed: defaultdict[Hashable, float] = defaultdict(float)
        """Steps that may be spent on measuring, for each kind of work."""

    def choose(
        self,
        design: Design,
        images: int,
        *,
        epochs: int | None = None,
        workers: int = 1,
        before: Precision | None = None,
    ) -> Precision:
        """The fastest precision for training `design` on `images` images, or the fixed one.

        It is for the next `epochs`, all of the design's if None, on one of so many workers. A
        training that goes on keeps the precision of `before`, as far as this device has it; only
        its graphs are chosen anew, which are captured in each leg.
        """
        if self._choice in FIXED:
            return _for(design, FIXED[self._choice])
        candidates = self._candidates(design) if before is None else [self._without_graphs(before)]
        count = len(candidates) + (self._device.type == "cuda")
        if count == 1:
            return candidates[0]
        work = work_of(design, images, epochs or design.epochs, workers)
        alike = likeness(work), tuple(candidates)
        if alike not in self._known:
            self._allowed[alike] += work.steps * SHARE
            steps = self._allowed[alike] / count
            if steps < 2:  # one to warm up, one to measure
                return candidates[0]
            self._known[alike] = self._fastest(work, candidates, steps - 1)
        return self._known[alike]

    def _fastest(self, work: Work, candidates: list[Precision], steps: float) -> Precision:
        if self._device.type == "cuda":  # its libraries are loaded at their first use
            self._measure(work, candidates[:1], 1)
        speeds = self._measure(work, candidates, steps)
        if not speeds:  # the training itself shows why
            return candidates[0]
        best = min(speeds, key=lambda precision: speeds[precision].total(work.steps))
        if self._device.type == "cuda":
            speeds |= self._measure(work, [replace(best, graphs=True)], steps)
            best = min(speeds, key=lambda precision: speeds[precision].total(work.steps))
        return best

    def _measure(
        self, work: Work, candidates: list[Precision], steps: float
    ) -> dict[Precision, Speed]:
        """Speeds of the candidates that the device can compute; one that fails, as for lack of
        memory, is left out. The memory of all of them is freed."""
        speeds = {}
        for precision in candidates:
            try:
                speeds[precision] = measure(
                    work.design, self._dataset, self._device, precision, work.images, steps
                )
            except (RuntimeError, MemoryError):
                pass
            finally:
                memory.release(self._device)
        return speeds

    def _candidates(self, design: Design) -> list[Precision]:
        """Precisions that the device supports; memory formats are alike without a convolution."""
        known = (self._without_graphs(_for(design, precision)) for precision in CANDIDATES)
        return list(dict.fromkeys(known))

    def _without_graphs(self, precision: Precision) -> Precision:
        """The precision without CUDA graphs as the device supports it: mps is not trusted with
        bf16."""
        dtype = "fp32" if self._device.type == "mps" else precision.dtype
        return replace(precision, dtype=dtype, graphs=False)


def work_of(design: Design, images: int, epochs: int, workers: int) -> Work:
    """The work of the worker that has the largest share of each batch."""
    batch = min(design.batch_size, images)
    mine, count = share(batch, 0, workers), images // batch
    return Work(replace(design, batch_size=mine), mine * count, epochs * count)


def likeness(work: Work) -> Hashable:
    """A key that is equal for work with the same fastest precision: counts to a factor of two,
    and all else that decides which kernels compute it."""
    design = work.design
    return (
        tuple(tuple(map(_magnitude, block)) for block in design.kernels),
        tuple(map(_magnitude, design.dense)),
        _magnitude(design.batch_size),
        design.kernel_size,
        design.pooling,
        design.batch_norm,
        design.activation,
        tuple(map(bool, (any(design.block_dropout), design.flat_dropout, design.dense_dropout))),
        _SAME_KERNELS.get(design.optimizer, design.optimizer),
        _magnitude(work.steps),
    )


def measure(
    design: Design,
    dataset: Dataset,
    device: torch.device,
    precision: Precision,
    images: int,
    steps: float = math.inf,
) -> Speed:
    """Measures one candidate on `images` random images in this process alone.

    It takes SECONDS or `steps` steps, whichever is less, and one step at least after the warm-up.
    """
    started = time.perf_counter()
    rehearsal = Rehearsal(design, dataset, images, device, precision)
    rehearsal.step()
    synchronise(device)
    ready = time.perf_counter()
    rehearsal.step()
    synchronise(device)
    # The rest as in a training: without waiting for the device after each step.
    once = time.perf_counter() - ready
    more = int(min(steps - 1, SECONDS / once))
    for _ in range(more):
        rehearsal.step()
    synchronise(device)
    return Speed(ready - started, (time.perf_counter() - ready) / (1 + more))


def _for(design: Design, precision: Precision) -> Precision:
    """The precision for a design: without a convolution no memory format makes anything faster."""
    return precision if design.kernels else replace(precision, channels_last=False)


def _magnitude(count: int) -> int:
    return round(math.log2(count))

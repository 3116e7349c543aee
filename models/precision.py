"""Chooses precision, memory format and CUDA graphs by a short measurement."""

import math
import time
from collections.abc import Hashable
from dataclasses import dataclass, replace

import torch

from models.dataset import Dataset
from models.design import Design
from models.device import FIXED, Precision, synchronise
from models.images import everything, noise_images
from models.training import Training

CANDIDATES = tuple(
    Precision(dtype, channels_last) for dtype in ("fp32", "bf16") for channels_last in (True, False)
)
SECONDS = 0.25
"""How long a candidate is measured at most, after one step to warm up."""
SHARE = 0.05
"""Of a training's steps, so many may be spent on measuring; a shorter one is not measured."""


@dataclass(frozen=True)
class Speed:
    """What a candidate costs on a device."""

    start_seconds: float
    step_seconds: float

    def total(self, steps: int) -> float:
        """Seconds of a training of so many steps."""
        return self.start_seconds + steps * self.step_seconds


class Chooser:
    """Chooses for one device, and remembers what it measured for like designs."""

    def __init__(self, choice: str, dataset: Dataset, device: torch.device) -> None:
        """`choice` is auto, or fixes what is computed: fp32 or bf16."""
        self._choice, self._dataset, self._device = choice, dataset, device
        self._known: dict[Hashable, Precision] = {}

    def choose(self, design: Design, images: int) -> Precision:
        """The fastest for training `design` on `images` images, or the fixed one."""
        if self._choice in FIXED:
            return _for(design, FIXED[self._choice])
        alike = likeness(design)
        if alike not in self._known:
            steps = design.epochs * max(1, images // design.batch_size)
            self._known[alike] = self._fastest(design, steps)
        return self._known[alike]

    def _fastest(self, design: Design, steps: int) -> Precision:
        candidates = self._candidates(design)
        allowed = steps * SHARE / len(candidates)
        if allowed < 2:  # one to warm up, one to measure
            return candidates[0]
        if self._device.type == "cuda":  # its libraries are loaded at their first use
            measure(design, self._dataset, self._device, candidates[0], 1)
        speeds = {
            precision: measure(design, self._dataset, self._device, precision, allowed - 1)
            for precision in candidates
        }
        best = min(speeds, key=lambda precision: speeds[precision].total(steps))
        if self._device.type == "cuda":
            graphs = replace(best, graphs=True)
            speeds[graphs] = measure(design, self._dataset, self._device, graphs, allowed - 1)
            best = min(best, graphs, key=lambda precision: speeds[precision].total(steps))
        return best

    def _candidates(self, design: Design) -> list[Precision]:
        """Without bf16 on mps; formats are alike where there is no convolution."""
        known = dict.fromkeys(_for(design, precision) for precision in CANDIDATES)
        return [p for p in known if not (self._device.type == "mps" and p.dtype == "bf16")]


def likeness(design: Design) -> Hashable:
    """Equal for designs of which the same precision will be the fastest: widths to a factor of
    two, and all else that decides which kernels compute them."""
    return (
        tuple(tuple(map(_magnitude, block)) for block in design.kernels),
        tuple(map(_magnitude, design.dense)),
        _magnitude(design.batch_size),
        design.kernel_size,
        design.pooling,
        design.batch_norm,
        design.activation,
    )


def measure(
    design: Design,
    dataset: Dataset,
    device: torch.device,
    precision: Precision,
    steps: float = math.inf,
) -> Speed:
    """The speed of one candidate, alone, on random images: SECONDS or `steps` long, one step at
    least."""
    noise = noise_images(design.batch_size, dataset.shape, len(dataset.classes))
    images = (noise.pixels / 255).contiguous(memory_format=precision.memory_format).to(device)
    labels = noise.labels.to(device)
    started = time.perf_counter()
    training = Training(
        design,
        dataset,
        everything(noise),
        everything(noise),
        seed=0,
        device=device,
        precision=precision,
        alone=True,
    )
    training.network.train()
    training.step(images, labels)
    synchronise(device)
    ready = time.perf_counter()
    training.step(images, labels)
    synchronise(device)
    # The rest as in a training: without waiting for the device after each step.
    once = time.perf_counter() - ready
    more = int(min(steps - 1, SECONDS / once))
    for _ in range(more):
        training.step(images, labels)
    synchronise(device)
    return Speed(ready - started, (time.perf_counter() - ready) / (1 + more))


def _for(design: Design, precision: Precision) -> Precision:
    """Without a convolution there is nothing that another order in memory would make faster."""
    return precision if design.kernels else replace(precision, channels_last=False)


def _magnitude(count: int) -> int:
    return round(math.log2(count))

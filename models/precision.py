"""Chooses precision and memory format by a short measurement."""

import time

import torch

from models.dataset import Dataset
from models.design import Design
from models.device import FIXED, Precision, synchronise
from models.images import Images, everything
from models.training import Training

CANDIDATES = tuple(
    Precision(dtype, channels_last) for dtype in ("fp32", "bf16") for channels_last in (False, True)
)
SECONDS = 0.25
"""How long a candidate is measured, after one step to warm up; two steps at least."""


def choose(choice: str, design: Design, dataset: Dataset, device: torch.device) -> Precision:
    """The precision that `choice` (auto, fp32, bf16) fixes, or the fastest for `design`."""
    if choice in FIXED:
        return FIXED[choice]
    speeds = measure(design, dataset, device)
    return max(speeds, key=lambda precision: speeds[precision])


def measure(design: Design, dataset: Dataset, device: torch.device) -> dict[Precision, float]:
    """Images a second that each candidate trains, alone, on random images.

    bf16 is left out on mps, and formats are alike where there is no convolution.
    """
    candidates = [
        precision
        for precision in CANDIDATES
        if not (device.type == "mps" and precision.dtype == "bf16")
        and not (not design.kernels and precision.channels_last)
    ]
    return {precision: _speed(design, dataset, device, precision) for precision in candidates}


def _speed(design: Design, dataset: Dataset, device: torch.device, precision: Precision) -> float:
    count = design.batch_size
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, *dataset.shape), generator=generator).to(torch.uint8)
    labels = torch.randint(0, len(dataset.classes), (count,), generator=generator)
    batch = everything(Images(pixels, labels))
    training = Training(
        design, dataset, batch, batch, seed=0, device=device, precision=precision, alone=True
    )
    images = (pixels.float() / 255).to(device)
    labels = labels.to(device)
    training.network.train()
    training.step(images, labels)
    synchronise(device)
    started, steps = time.perf_counter(), 0
    while steps < 2 or time.perf_counter() - started < SECONDS:
        training.step(images, labels)
        synchronise(device)
        steps += 1
    return steps * count / (time.perf_counter() - started)

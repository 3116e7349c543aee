"""The work of one epoch of training by kind, to which its seconds are about proportional."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.design import Design
from models.network import Shape, count_map_values, measure_size

GRAIN = 16
"""Processors compute so many channels at once: a convolution of 17 kernels takes as long as one of
32."""
NORMALISED = 1.5
"""How often a feature map is read and written with batch norm, beside once without."""


@lru_cache(maxsize=8192)
def epoch_work(design: Design, shape: Shape, classes: int, images: int) -> NDArray[np.float64]:
    """Of an epoch of `images` images: optimizer steps; multiply-adds; values of feature maps that
    are read and written; images, whose augmentation and copying take time."""
    kernels = tuple(tuple(-(-n // GRAIN) * GRAIN for n in block) for block in design.kernels)
    whole = replace(design, kernels=kernels)
    _, flops = measure_size(whole, shape, classes)
    values = count_map_values(whole, shape) * (NORMALISED if design.batch_norm else 1.0)
    steps = max(images // design.batch_size, 1)
    work = np.array([steps, images * flops / 2, images * values, images], float)
    work.flags.writeable = False
    return work

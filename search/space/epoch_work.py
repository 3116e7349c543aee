"""The work of one epoch of training by kind, to which its seconds are about proportional."""

import numpy as np
from numpy.typing import NDArray

from models.design import Design
from models.network import Shape, count_map_values, measure_size


def epoch_work(design: Design, shape: Shape, classes: int, images: int) -> NDArray[np.float64]:
    """Of an epoch of `images` images: optimizer steps; multiply-adds; values of feature maps;
    images, whose augmentation and copying take time."""
    _, flops = measure_size(design, shape, classes)
    values = count_map_values(design, shape)
    steps = max(images // design.batch_size, 1)
    return np.array([steps, images * flops / 2, images * values, images], float)

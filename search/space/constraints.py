"""Constraints on a design that are checked before training: parameter limit, image size, batch."""

from dataclasses import dataclass

from models.design import Design
from models.network import Shape, measure_size
from models.training.batches import cannot_share
from search.space import ranges
from search.space.design_space import NetworkSpace


@dataclass(frozen=True)
class Limits:
    """The constraints: from the images, the workers of a trial, and --max-parameters."""

    shape: Shape
    classes: int
    max_parameters: int | None = None
    workers: int = 1
    """Workers of a trial: each takes its share of every batch."""
    images: int | None = None
    """The number of training images, where known: no batch has more."""

    def refusal(self, design: Design) -> str:
        """The violated constraint, as a message; empty where `design` is feasible."""
        try:
            parameters, _ = measure_size(design, self.shape, self.classes)
        except ValueError as error:
            return str(error)
        if self.max_parameters is not None and parameters > self.max_parameters:
            return f"{parameters:,} parameters, more than --max-parameters {self.max_parameters:,}"
        return cannot_share(design, self.images or design.batch_size, self.workers)

    def allow(self, design: Design) -> bool:
        """Whether `design` is feasible."""
        return not self.refusal(design)

    def check(self, space: NetworkSpace) -> None:
        """Raises ValueError where no design of `space` is feasible."""
        largest = max(ranges.BATCH_SIZES)
        if largest < self.workers:
            raise ValueError(
                f"--workers-per-trial {self.workers}: a batch has {largest} images at most"
            )
        least = min(measure_size(each, self.shape, self.classes)[0] for each in smallest(space))
        if self.max_parameters is not None and least > self.max_parameters:
            raise ValueError(
                f"--max-parameters {self.max_parameters:,}: the smallest network for these images "
                f"has {least:,}"
            )


def smallest(space: NetworkSpace) -> list[Design]:
    """The smallest designs of `space`, one of which has the fewest parameters: for each number of
    blocks, with one narrow hidden dense layer and without."""
    block = (min(ranges.KERNELS[0], ranges.FIRST_KERNELS[0]),)
    return [
        Design(kernels=(block,) * blocks, dense=dense)
        for blocks in range(ranges.BLOCKS[0], space.most_blocks + 1)
        for dense in ((), (ranges.DENSE_WIDTH[0],))
        if ranges.DENSE_LAYERS[0] <= len(dense) <= ranges.DENSE_LAYERS[1]
    ]

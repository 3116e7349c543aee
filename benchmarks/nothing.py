"""A training that does nothing, to measure what a trial costs beside its training."""

from typing import Any

import torch
import torch.distributed as dist

from models.design import Design
from models.training.device import Precision
from models.training.training_run import EpochResult


class Nothing:
    """Stand-in for Training: its epochs return made-up metrics at once, and its state is small."""

    def __init__(
        self,
        design: Design,
        *data: Any,
        seed: int,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self.design, self.device, self.precision = design, device, precision
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.epoch = 0
        generator = torch.Generator().manual_seed(seed)
        self._weights = torch.rand(1000, generator=generator)

    def run_epoch(self) -> EpochResult:
        """Made-up metrics of the next epoch; several workers wait for each other in an
        all-reduce."""
        self.epoch += 1
        if dist.is_initialized() and dist.get_world_size() > 1:
            dist.all_reduce(torch.zeros(1, device=self.device))
        return EpochResult(self.epoch, 1.0, 0.5, 1.0, 0.5, 0.0, 0.0, 1.0, 1)

    def state(self) -> dict[str, Any]:
        """A thousand weights and the epoch."""
        return {"epoch": self.epoch, "network": {"weights": self._weights}}

    def load_state(self, state: dict[str, Any]) -> None:
        """Resumes after the epoch of `state`."""
        self.epoch, self._weights = state["epoch"], state["network"]["weights"]

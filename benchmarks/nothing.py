"""A training that does nothing: what is left of a trial is what it costs to run one."""

from typing import Any

import torch
import torch.distributed as dist

from models.design import Design
from models.training.device import Precision
from models.training.training_run import EpochResult


class Nothing:
    """Stands where Training does; its epochs give numbers at once, and its state is a small one."""

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
        """The next epoch's number, and made-up results; several workers wait for each other."""
        self.epoch += 1
        if dist.is_initialized() and dist.get_world_size() > 1:
            dist.all_reduce(torch.zeros(1, device=self.device))
        return EpochResult(self.epoch, 1.0, 0.5, 1.0, 0.5, 0.0, 0.0, 1.0, 1)

    def state(self) -> dict[str, Any]:
        """A thousand weights and the epoch."""
        return {"epoch": self.epoch, "network": {"weights": self._weights}}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on after the epoch of `state`."""
        self.epoch, self._weights = state["epoch"], state["network"]["weights"]

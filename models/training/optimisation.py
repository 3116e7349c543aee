"""Optimizer and learning rate schedule of a design."""

import bisect
import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR

from models.design import Design
from models.rungs import rungs_of

RISE = 0.25
"""The part of a cycle in which the learning rate rises."""


class _OneCycle(OneCycleLR):
    """OneCycleLR that stays at its lowest rate after its last step, where torch's rises and
    raises."""

    def step(self, epoch: int | None = None) -> None:
        if self.last_epoch < self.total_steps - 1:
            super().step()


class _Cosine(CosineAnnealingLR):
    """CosineAnnealingLR that stays at zero at its end, where torch's rises again."""

    def step(self, epoch: int | None = None) -> None:
        if self.last_epoch < self.T_max:
            super().step()


def make_optimizer(design: Design, network: nn.Module, device: torch.device) -> Optimizer:
    """The optimizer that a design names, fused where torch has it so.

    Weight decay is an L2 term of the loss with all but adamw, where it is decoupled.
    """
    parameters = list(network.parameters())
    rate, decay = design.learning_rate, design.weight_decay
    match design.optimizer:
        case "adam":
            return Adam(parameters, lr=rate, weight_decay=decay, fused=True)
        case "adamw":
            return AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        case "rmsprop":
            return RMSprop(parameters, lr=rate, weight_decay=decay)
    return SGD(
        parameters,
        lr=rate,
        momentum=design.momentum,
        nesterov=design.optimizer == "nesterov",
        weight_decay=decay,
        fused=True,
    )


_COMPUTED_BY = ("fused", "foreach", "capturable", "differentiable")
"""Settings of an optimizer that change how it computes an update, not the update itself."""


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Loads an optimizer's state, perhaps of another device or of an earlier version.

    The settings in _COMPUTED_BY stay as this optimizer was made with.
    """
    groups = [
        saved | {name: own[name] for name in _COMPUTED_BY if name in own}
        for saved, own in zip(state["param_groups"], optimizer.param_groups, strict=True)
    ]
    optimizer.load_state_dict(state | {"param_groups": groups})


def make_schedule(design: Design, optimizer: Optimizer, steps_per_epoch: int) -> LRScheduler | None:
    """The learning rate schedule over all epochs, stepped after each batch; None for a constant.

    A step beyond the last one, as a measurement may take it, changes no rate.
    """
    steps = design.epochs * steps_per_epoch
    if steps == 1 and design.schedule in ("one_cycle", "cosine"):  # torch's lowest rate of a cycle
        return None
    match design.schedule:
        case "one_cycle":  # Smith & Topin, arXiv 1708.07120; momentum is left alone
            return _OneCycle(
                optimizer, max_lr=design.learning_rate, total_steps=steps, cycle_momentum=False
            )
        case "cosine":
            return _Cosine(optimizer, T_max=steps)
        case "cycles" | "triangular":
            cycles = rungs_of(design.epochs) if design.schedule == "cycles" else [design.epochs]
            ends = [steps_per_epoch * last_epoch for last_epoch in cycles]
            return LambdaLR(optimizer, functools.partial(_cycle_factor, ends))
    return None


def _cycle_factor(ends: Sequence[int], step: int) -> float:
    """The part of the peak learning rate at a step, from 0, of cycles that end at steps `ends`.

    Each cycle rises to the peak and falls to zero in straight lines, and the next one restarts
    (warm restarts: Loshchilov and Hutter, arXiv 1608.03983; triangular cycles: Smith, arXiv
    1506.01186). After the last cycle it is zero.
    """
    cycle = bisect.bisect_right(ends, step)
    if cycle == len(ends):
        return 0.0
    begin = ends[cycle - 1] if cycle else 0
    done = (step + 0.5 - begin) / (ends[cycle] - begin)
    return min(done / RISE, (1 - done) / (1 - RISE))

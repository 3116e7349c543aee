"""From a design to its optimizer and its learning rate schedule."""

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from models.design import Design


def make_optimizer(design: Design, network: nn.Module, device: torch.device) -> Optimizer:
    """torch's optimizer of that name, fused where torch has it so.

    Weight decay is the loss term of L2 with all but adamw, where it is decoupled.
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


def make_schedule(design: Design, optimizer: Optimizer, steps_per_epoch: int) -> LRScheduler | None:
    """The schedule over all epochs of the design, moved on after each step; None for a constant."""
    steps = design.epochs * steps_per_epoch
    match design.schedule:
        case "one_cycle":  # Smith & Topin, arXiv 1708.07120; momentum is left alone
            return OneCycleLR(
                optimizer, max_lr=design.learning_rate, total_steps=steps, cycle_momentum=False
            )
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=steps)
    return None

"""The designs with which a search begins: a few good ones, small to large."""

from collections.abc import Callable
from dataclasses import replace

from models.design import Design
from models.transcript import TRANSCRIPT
from search.space.design_space import NetworkSpace

KERNELS = (
    ((16,), (32,), (64,)),
    ((32,), (64,), (128,)),
    ((16,), (16, 64), (64, 64), (64,)),
    ((24,), (24, 96), (96, 96), (96,)),
    ((32,), (64, 64), (128, 128)),
)
"""Of the designs, block by block; small images have fewer blocks."""
FEW_IMAGES = 10_000
"""Where fewer train, batches are smaller, so that an epoch has steps enough."""
DRAWN_FIRST, LEAST_KNOWN, MOST_KNOWN = 2, 4, 6
"""Designs drawn before there is a model, beside as many as are known, but at least and at most so
many."""
OF_TRANSCRIPT = ("cnn-1", "cnn-3")
"""The transcript's designs that are quick to train."""


def first_designs(
    space: NetworkSpace, allows: Callable[[Design], bool], *, with_transcript: bool
) -> list[tuple[str, Design]]:
    """The designs with which a search of `space` begins, by name: those of the portfolio that its
    limits allow, and those of the transcript where they are asked for or the space is bare."""
    if not space.has_recipe:
        return of_transcript(space)
    begun = [(name, design) for name, design in portfolio(space) if allows(design)]
    return [*begun, *of_transcript(space)] if with_transcript else begun


def portfolio(space: NetworkSpace) -> list[tuple[str, Design]]:
    """Designs of `space` by name; none for images of one pixel.

    Blocks of convolutions with batch norm, Nesterov momentum, weight decay, flip and crop, and a
    learning rate that falls to zero at each rung; the first one also without flip and crop, for
    images that are not the same when they are mirrored.
    """
    blocks = dict.fromkeys(kernels[: space.most_blocks] for kernels in KERNELS)
    known = {_name(each): _recipe(each, space) for each in blocks if each}
    plain = [(f"{name}-plain", each) for name, each in known.items()][:1]
    changed = [(name, replace(each, augmentation="none")) for name, each in plain]
    return [*known.items(), *changed]


def of_transcript(space: NetworkSpace) -> list[tuple[str, Design]]:
    """The transcript's quick designs by name, trained as long as those of `space`."""
    return [(name, replace(TRANSCRIPT[name], epochs=space.max_epochs)) for name in OF_TRANSCRIPT]


def startup(known: int) -> int:
    """How many designs are begun before there is a model, where so many are known."""
    return min(max(known, LEAST_KNOWN), MOST_KNOWN) + DRAWN_FIRST


def _recipe(kernels: tuple[tuple[int, ...], ...], space: NetworkSpace) -> Design:
    return Design(
        kernels=kernels,
        batch_norm=True,
        flat_dropout=0.1,
        optimizer="nesterov",
        momentum=0.9,
        learning_rate=0.1,
        weight_decay=5e-4,
        schedule="cycles",
        batch_size=32 if space.images < FEW_IMAGES else 128,
        epochs=space.max_epochs,
        augmentation="flip_crop",
        initialisation="whitened",
    )


def _name(kernels: tuple[tuple[int, ...], ...]) -> str:
    return "recipe-" + "-".join(str(count) for block in kernels for count in block)

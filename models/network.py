"""From a design to its network, and what the network weighs."""

import functools

import torch
from torch import Tensor, nn

from models.design import Design

Shape = tuple[int, int, int]
"""Channels, height and width of an image."""

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
_POOLINGS: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class Network(nn.Module):
    """blocks (convolutions, pooling, dropout), then a head of dense layers.

    Takes (n, channels, height, width) floats, gives (n, classes) logits.
    """

    def __init__(self, design: Design, shape: Shape, classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.blocks = nn.ModuleList()
        for number, kernels in enumerate(design.kernels):
            self.blocks.append(_block(design, number, channels, kernels))
            channels = kernels[-1]
            if design.pooling != "none":
                height, width = height // 2, width // 2
            if height < 1 or width < 1:
                raise ValueError(
                    f"kernels is {design.kernels!r}; allowed: at most {number} blocks with "
                    f"pooling on images of {shape[1]}x{shape[2]} pixels"
                )
        self.head = _head(design, channels * height * width, classes)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        for block in self.blocks:
            images = block(images)
        return self.head(images.flatten(1))


def _block(design: Design, number: int, channels: int, kernels: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for count in kernels:
        layers.append(nn.Conv2d(channels, count, design.kernel_size, padding="same"))
        if design.batch_norm:
            layers.append(nn.BatchNorm2d(count))
        layers.append(_ACTIVATIONS[design.activation]())
        channels = count
    if design.pooling != "none":
        layers.append(_POOLINGS[design.pooling](2))
    if design.dropout_after(number):
        layers.append(nn.Dropout(design.dropout_after(number)))
    return nn.Sequential(*layers)


def _head(design: Design, features: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    if design.flat_dropout:
        layers.append(nn.Dropout(design.flat_dropout))
    for width in design.dense:
        layers.append(nn.Linear(features, width))
        if design.batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(_ACTIVATIONS[design.activation]())
        if design.dense_dropout:
            layers.append(nn.Dropout(design.dense_dropout))
        features = width
    return nn.Sequential(*layers, nn.Linear(features, classes))


def _initialise(layer: nn.Module) -> None:
    """Glorot & Bengio (2010), biases at zero: what Keras does, with which the transcript worked."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def build(design: Design, shape: Shape, classes: int) -> Network:
    """The network of `design` for images of `shape`; ValueError where the images are too small."""
    return Network(design, shape, classes)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


# A design's size is asked for when it is judged, and again when its trial starts.
@functools.lru_cache(maxsize=16)
def measure_size(design: Design, shape: Shape, classes: int) -> tuple[int, int]:
    """Parameters, and FLOPs of one image's forward pass (2 a multiply-add), nothing allocated.

    Both are read off the real network on the meta device; what convolutions and dense layers do
    counts, as with torch's own counter, which takes 20 ms for it.
    """
    with torch.device("meta"):
        network = build(design, shape, classes)
    pixels, flops = [shape[1], shape[2]], 0
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            flops += 2 * layer.weight.numel() * pixels[0] * pixels[1]
        elif isinstance(layer, nn.Linear):
            flops += 2 * layer.weight.numel()
        elif isinstance(layer, tuple(_POOLINGS.values())):
            pixels = [side // 2 for side in pixels]
    return count_parameters(network), flops

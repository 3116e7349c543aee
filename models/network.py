"""Builds the torch network of a design, and computes its parameter count and FLOPs."""

from itertools import pairwise

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


class Block(nn.Sequential):
    """A block of convolutions with activations, then pooling and dropout.

    Max pooling is computed before a ReLU that precedes it: the greatest of four stays the greatest,
    so that maps and gradients are the same to the last bit, and ReLU has a quarter to do.
    """

    def forward(self, images: Tensor) -> Tensor:
        layers = list(self)
        for at, (layer, after) in enumerate(pairwise(self)):
            if isinstance(layer, nn.ReLU) and isinstance(after, nn.MaxPool2d):
                layers[at : at + 2] = after, layer
        for layer in layers:
            images = layer(images)
        return images


class Network(nn.Module):
    """A design's network: blocks (convolutions, pooling, dropout), then a head of dense layers.

    Takes (n, channels, height, width) floats, gives (n, classes) logits.
    """

    def __init__(self, design: Design, shape: Shape, classes: int) -> None:
        super().__init__()
        channels, (height, width) = shape[0], _sides(design, shape)[-1]
        self.blocks = nn.ModuleList()
        for number, kernels in enumerate(design.kernels):
            self.blocks.append(_block(design, number, channels, kernels))
            channels = kernels[-1]
        self.head = _head(design, channels * height * width, classes)
        self.apply(_initialise)
        if design.initialisation in ("dirac", "whitened"):
            self.blocks.apply(_pass_on)

    def forward(self, images: Tensor) -> Tensor:
        for block in self.blocks:
            images = block(images)
        return self.head(images.flatten(1))

    def layers(self) -> list[nn.Module]:
        """All layers in the design's order."""
        blocks = [layer for block in self.blocks for layer in block.children()]
        return [*blocks, nn.Flatten(), *self.head.children()]


def _sides(design: Design, shape: Shape) -> list[tuple[int, int]]:
    """Height and width of the maps that enter each block, and of those that leave the last."""
    sides = [shape[1:]]
    for number in range(len(design.kernels)):
        height, width = sides[-1]
        if design.pooling != "none":
            height, width = height // 2, width // 2
        if height < 1 or width < 1:
            raise ValueError(
                f"kernels is {design.kernels!r}; allowed: at most {number} blocks with "
                f"pooling on images of {shape[1]}x{shape[2]} pixels"
            )
        sides.append((height, width))
    return sides


def _block(design: Design, number: int, channels: int, kernels: tuple[int, ...]) -> Block:
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
    return Block(*layers)


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


def _pass_on(layer: nn.Module) -> None:
    """The first kernels of a convolution as the identity, where it has as many as it gets maps
    (Zagoruyko & Komodakis, arXiv 1706.00388): at its start a deep network is a shallow one."""
    if isinstance(layer, nn.Conv2d) and layer.out_channels >= layer.in_channels:
        nn.init.dirac_(layer.weight.data[: layer.in_channels])


def build(design: Design, shape: Shape, classes: int) -> Network:
    """The network of `design` for images of `shape`; ValueError where the images are too small."""
    return Network(design, shape, classes)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def count_map_values(design: Design, shape: Shape) -> int:
    """Values of one image's feature maps, of all convolutions: the memory traffic of a training is
    about proportional to them."""
    *sides, _ = _sides(design, shape)
    blocks = zip(design.kernels, sides, strict=True)
    return sum(sum(kernels) * rows * columns for kernels, (rows, columns) in blocks)


def measure_size(design: Design, shape: Shape, classes: int) -> tuple[int, int]:
    """Parameter count, and FLOPs of one image's forward pass (2 per multiply-add).

    Computed from the design, for to build a network takes milliseconds even where nothing is
    allocated. Convolutions and dense layers count, as with torch's own counter. ValueError where
    the images are too small.
    """
    *sides, (height, width) = _sides(design, shape)
    channels, parameters, flops = shape[0], 0, 0
    norm = 2 if design.batch_norm else 0
    for kernels, (rows, columns) in zip(design.kernels, sides, strict=True):
        for count in kernels:
            weights = design.kernel_size**2 * channels * count
            parameters += weights + (1 + norm) * count
            flops += 2 * weights * rows * columns
            channels = count
    features = channels * height * width
    for count in design.dense:
        parameters += (features + 1 + norm) * count
        flops += 2 * features * count
        features = count
    return parameters + (features + 1) * classes, flops + 2 * features * classes

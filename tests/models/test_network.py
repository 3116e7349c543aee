from random import Random
from typing import get_args

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from models.design import Design
from models.network import build, count_parameters, measure_size
from models.transcript import TRANSCRIPT
from search.space.axes import Axis
from search.space.design_space import NetworkSpace
from search.space.random_sampling import RandomSuggest

CIFAR = (3, 32, 32)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ann-1", 30_730),
        ("ann-3", 312_860),
        ("cnn-1", 513_410),
        ("cnn-3", 356_790),
        ("cnn-5-dropout", 807_090),
        ("final", 551_722),
    ],
)
def test_parameters_of_the_transcript(name: str, parameters: int) -> None:
    assert measure_size(TRANSCRIPT[name], CIFAR, 10)[0] == parameters
    assert count_parameters(build(TRANSCRIPT[name], CIFAR, 10)) == parameters


def test_flops_by_hand() -> None:
    convolution = 2 * (3 * 3 * 3) * 50 * 32 * 32
    dense = 2 * (50 * 32 * 32) * 10
    assert measure_size(TRANSCRIPT["cnn-1"], CIFAR, 10)[1] == convolution + dense
    assert measure_size(TRANSCRIPT["ann-1"], CIFAR, 10)[1] == 2 * 3072 * 10


@pytest.mark.parametrize("seed", range(20))
def test_sizes_are_those_of_the_network_and_of_torch_s_own_counter(seed: int) -> None:
    space = NetworkSpace(10, 32, 32, frozenset(get_args(Axis)))
    design = space.sample(RandomSuggest(Random(seed)))
    with torch.device("meta"):
        network, images = build(design, CIFAR, 10).eval(), torch.empty(1, *CIFAR)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(images)
    counted = (count_parameters(network), counter.get_total_flops())
    assert measure_size(design, CIFAR, 10) == counted


def test_too_many_poolings_are_refused() -> None:
    design = Design(kernels=((4,),) * 4)
    with pytest.raises(ValueError, match="at most 3 blocks with pooling on images of 8x8"):
        build(design, (1, 8, 8), 10)
    with pytest.raises(ValueError, match="at most 3 blocks"):
        measure_size(design, (1, 8, 8), 10)
    build(Design(kernels=((4,),) * 4, pooling="none"), (1, 8, 8), 10)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "gelu", "silu"])
@pytest.mark.parametrize("pooling", ["none", "max", "average"])
def test_every_layer_choice_gives_logits(activation: str, pooling: str) -> None:
    design = Design(
        kernels=((3, 4), (5,)),
        kernel_size=5,
        pooling=pooling,
        batch_norm=True,
        block_dropout=(0.1, 0.2),
        flat_dropout=0.3,
        dense=(7,),
        dense_dropout=0.2,
        activation=activation,
    )
    assert build(design, (3, 12, 9), 4)(torch.rand(6, 3, 12, 9)).shape == (6, 4)


def test_dropout_is_silent_in_evaluation() -> None:
    network = build(TRANSCRIPT["cnn-5-dropout"], CIFAR, 10).eval()
    images = torch.rand(2, *CIFAR)
    assert torch.equal(network(images), network(images))
    network.train()
    assert not torch.equal(network(images), network(images))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_order_of_computing_changes_nothing(activation: str, batch_norm: bool) -> None:
    design = Design(kernels=((5, 6), (7,)), activation=activation, batch_norm=batch_norm)
    network = build(design, CIFAR, 10)
    written = nn.Sequential(*network.layers())
    images, labels = torch.rand(8, *CIFAR), torch.arange(8)

    def outcome(computed: nn.Module) -> tuple[torch.Tensor, list[torch.Tensor]]:
        network.zero_grad()
        logits = computed(images)
        cross_entropy(logits, labels).backward()
        return logits, [p.grad.clone() for p in network.parameters() if p.grad is not None]

    (mine, my_gradients), (theirs, their_gradients) = outcome(network), outcome(written)
    assert torch.equal(mine, theirs)
    assert all(map(torch.equal, my_gradients, their_gradients))


def test_max_pooling_is_computed_before_relu() -> None:
    def sides(activation: str) -> list[int]:
        seen: list[int] = []
        network = build(Design(kernels=((4,), (5,)), activation=activation), CIFAR, 10)
        for layer in network.modules():
            if isinstance(layer, nn.ReLU | nn.GELU):
                layer.register_forward_hook(lambda m, i, output: seen.append(output.shape[-1]))
        network(torch.rand(2, *CIFAR))
        return seen

    assert sides("relu") == [16, 8]
    assert sides("gelu") == [32, 16]

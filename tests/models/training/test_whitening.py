"""Whitening initialisation: what the first convolution gives is uncorrelated, of variance 1."""

import dataclasses

import pytest
import torch
from torch import nn

from models.data.dataset import Dataset
from models.data.images import Subset
from models.training.whitening import whiten
from tests.models.training.test_training_run import RICH, start


def correlated(count: int, channels: int, side: int) -> torch.Tensor:
    """Images whose neighbouring pixels are alike."""
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(count, channels, side + 1, side + 1, generator=random)
    return noise[..., 1:, 1:] + noise[..., :-1, :-1] + noise[..., 1:, :-1]


@pytest.mark.parametrize(("channels", "kernels"), [(3, 54), (1, 18), (1, 40), (3, 24), (3, 5)])
def test_maps_are_uncorrelated_with_variance_1(channels: int, kernels: int) -> None:
    torch.manual_seed(0)
    images = correlated(200, channels, 12)
    convolution = nn.Conv2d(channels, kernels, 3, bias=False)
    before = convolution.weight.detach().clone()
    whiten(convolution, images)
    half = min(kernels // 2, 9 * channels)
    maps = convolution(images).detach()[:, : 2 * half].permute(1, 0, 2, 3).flatten(1)
    moments = maps @ maps.T / maps.shape[1]
    signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert torch.allclose(moments, torch.kron(signs, torch.eye(half)), atol=0.02)
    assert torch.equal(convolution.weight[2 * half :], before[2 * half :])


def test_the_kernels_are_those_along_which_the_images_vary_most() -> None:
    """A gradient from left to right is all there is: the kernel of both halves is constant down."""
    ramp = torch.arange(8.0).repeat(8, 1).expand(4, 1, 8, 8)
    convolution = nn.Conv2d(1, 2, 3, bias=False)
    whiten(convolution, ramp)
    kernel = convolution.weight[0, 0]
    assert torch.allclose(kernel, kernel[:1].expand(3, 3), atol=1e-4)


def test_images_smaller_than_a_kernel_change_nothing() -> None:
    convolution = nn.Conv2d(1, 4, 3, padding="same")
    before = convolution.weight.detach().clone()
    whiten(convolution, torch.randn(5, 1, 2, 8))
    assert torch.equal(convolution.weight, before)


@pytest.mark.parametrize("kernels", [(), ((20,), (20, 24))])
def test_a_training_begins_with_whitened_images(
    kernels: tuple[tuple[int, ...], ...], digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    made = dataclasses.replace(RICH, kernels=kernels, block_dropout=())
    dirac, whitened, again = (
        start(dataclasses.replace(made, initialisation=each), digits, *digits_subsets)
        for each in ("dirac", "whitened", "whitened")
    )
    for name, weight in whitened.network.state_dict().items():
        same = torch.equal(weight, dirac.network.state_dict()[name])
        assert same == (name != "blocks.0.0.weight")
        assert torch.equal(weight, again.network.state_dict()[name])

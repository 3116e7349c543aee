"""CUDA graphs as a CPU can show them: no faster, but as strict as the real ones."""

import gc
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

WARM_UP = 3


class _Replay(torch.autograd.Function):
    """Forward and backward pass on the buffers of the capture, which the next replay overwrites."""

    @staticmethod
    def forward(ctx: Any, graph: "_Graph", images: Tensor, *parameters: Tensor) -> Tensor:
        ctx.graph = graph
        return graph.forward(images).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        return None, None, *(each.detach() for each in ctx.graph.backward(grad))


class _Graph:
    """What was captured: forward and backward pass, for one shape, on tensors where they lay."""

    def __init__(self, network: nn.Module, example: Tensor) -> None:
        self._network, self._plain = network, network.forward
        self._images = example.clone()
        self._parameters = tuple(network.parameters())
        self._places = self._where()
        self._modes = [module.training for module in network.modules()]
        for _ in range(WARM_UP):  # moves statistics, and draws for dropout
            output = self._plain(self._images)
            gradients = torch.autograd.grad(output, self._parameters, torch.ones_like(output))
        self._output = output.detach().clone()
        self._gradients = [torch.zeros_like(gradient) for gradient in gradients]

    def _where(self) -> list[int]:
        tensors = [*self._network.parameters(), *self._network.buffers()]
        return [tensor.data_ptr() for tensor in tensors]

    def __call__(self, images: Tensor) -> Tensor:
        if not self._network.training:  # not what was captured
            return self._plain(images)
        return _Replay.apply(self, images, *self._parameters)

    def forward(self, images: Tensor) -> Tensor:
        assert self._where() == self._places, "a graph reads the memory that it was captured with"
        assert [m.training for m in self._network.modules()] == self._modes
        if images.shape != self._images.shape:
            raise RuntimeError(f"captured with {self._images.shape}, replayed with {images.shape}")
        self._images.copy_(images)
        with torch.enable_grad():
            self._live = self._plain(self._images)
        return self._output.copy_(self._live.detach())

    def backward(self, grad: Tensor) -> list[Tensor]:
        found = torch.autograd.grad(self._live, self._parameters, grad)
        for kept, gradient in zip(self._gradients, found, strict=True):
            kept.copy_(gradient)
        return self._gradients


def make_graphed_callables(network: nn.Module, examples: tuple[Tensor]) -> nn.Module:
    """Stands where torch.cuda's does, and refuses what that refuses or is said not to bear."""
    if torch.is_autocast_enabled("cpu") and torch.is_autocast_cache_enabled():
        raise RuntimeError("make_graphed_callables does not support the autocast caching")
    wrappers = (each for each in gc.get_objects() if type(each) is DistributedDataParallel)
    assert not any(each.module is network for each in wrappers), (
        "to be captured before it is shared"
    )
    network.forward = _Graph(network, *examples)  # type: ignore[method-assign]
    return network

"""torch.export of a trained network, normalisation included."""

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from models.data.dataset import Dataset
from models.design import Design


class FromPixels(nn.Module):
    """A network preceded by its normalisation: takes pixels in 0..1."""

    def __init__(self, network: nn.Module, design: Design, dataset: Dataset) -> None:
        super().__init__()
        self._network, self._standardise = network, design.normalisation == "standardise"
        # As in training: a channel without any variation is left as it is.
        spread = [each or 1.0 for each in dataset.deviation]
        self.register_buffer("mean", torch.tensor(dataset.mean).view(1, -1, 1, 1))
        self.register_buffer("spread", torch.tensor(spread).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Floats (n, channels, height, width) in 0..1 to logits (n, classes)."""
        if self._standardise:
            images = (images - self.get_buffer("mean")) / self.get_buffer("spread")
        return self._network(images)


def exported(network: nn.Module, design: Design, dataset: Dataset) -> ExportedProgram:
    """The program of `network` in evaluation mode, for any number of images."""
    return torch.export.export(
        FromPixels(network, design, dataset).eval(),
        (torch.zeros(2, *dataset.shape),),
        dynamic_shapes=({0: torch.export.Dim("n")},),
    )

"""A training on noise, step by step: for measuring how fast the real one will be."""

import torch

from models.data.dataset import Dataset
from models.data.images import Subset, everything, noise_images
from models.design import Design
from models.training.device import Precision
from models.training.training_run import Training


class Rehearsal:
    """Trains in this process alone. Each step is that of a training on `images` images, with its
    batch and its schedule, but for the images: it is always the same batch of noise."""

    def __init__(
        self,
        design: Design,
        dataset: Dataset,
        images: int,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self.batch = min(design.batch_size, images)
        noise = noise_images(self.batch, dataset.shape, len(dataset.classes))
        self._training = Training(
            design,
            dataset,
            Subset(noise, torch.arange(images) % self.batch),
            everything(noise),
            seed=0,
            device=device,
            precision=precision,
            alone=True,
        )
        self._training.network.train()
        pixels = (noise.pixels / 255).contiguous(memory_format=precision.memory_format)
        self._pixels, self._labels = pixels.to(device), noise.labels.to(device)

    def step(self) -> None:
        """One update; the device is not waited for."""
        self._training.step(self._pixels, self._labels)

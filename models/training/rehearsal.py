"""A training on random images, step by step, to measure how fast the real one will be."""

import torch

from models.data.dataset import Dataset
from models.data.images import Subset, everything, noise_images
from models.design import Design
from models.training.device import Precision
from models.training.training_run import Training


class Rehearsal:
    """Trains a design in this process alone, always on the same batch of random images.

    Apart from that, each step is that of a training on `images` images, with its batch size and
    schedule.
    """

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
        """One optimizer update; does not wait for the device."""
        self._training.step(self._pixels, self._labels)

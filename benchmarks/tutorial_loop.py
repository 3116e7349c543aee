"""Baseline: the training loop of most tutorials, fp32, a DataLoader, torchvision's transforms."""

import time
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from models.data.images import Subset
from models.design import Design
from models.network import build
from models.training.optimisation import make_optimizer

LOADERS = 2


class Pictures(TorchDataset[Any]):
    """A torch data set as torchvision's CIFAR10 gives it: a PIL image each, transformed."""

    def __init__(self, train: Subset) -> None:
        self._pixels = train.images.pixels[train.index].permute(0, 2, 3, 1).contiguous().numpy()
        self._labels = train.images.labels[train.index].tolist()
        self._transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> tuple[Any, int]:
        return self._transform(Image.fromarray(self._pixels[row])), self._labels[row]


class TutorialLoop:
    """The tutorial's loop, with a network of `design` on `device`."""

    def __init__(self, design: Design, train: Subset, device: torch.device) -> None:
        torch.manual_seed(0)
        self._device = device
        self._loader = DataLoader(
            Pictures(train),
            batch_size=design.batch_size,
            shuffle=True,
            num_workers=LOADERS,
            drop_last=True,
            persistent_workers=True,
        )
        # One after another, as a tutorial lists them: activation, then pooling.
        self._network = nn.Sequential(*build(design, (3, 32, 32), 10).layers()).to(device)
        self._optimizer = make_optimizer(design, self._network, device)

    def images_per_second(self, seconds: float) -> float:
        """Throughput of training for about `seconds`, after five batches that are not counted."""
        self._network.train()
        started, images = 0.0, 0
        for number, (pixels, labels) in enumerate(self._loader):
            if number == 5:
                started = time.perf_counter()
            self._optimizer.zero_grad()
            loss = cross_entropy(self._network(pixels.to(self._device)), labels.to(self._device))
            loss.backward()
            self._optimizer.step()
            loss.item()
            if number >= 5:
                images += len(labels)
                if time.perf_counter() - started > seconds:
                    break
        return images / (time.perf_counter() - started)

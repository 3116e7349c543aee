import numpy as np
import pytest
import torch

from models.data.dataset import Dataset
from models.data.images import Images
from models.design import Design
from models.network import build
from models.training import scoring


def test_metrics_by_hand() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    predictions = np.array([0, 0, 0, 1, 1, 0])
    metrics = scoring.classification_metrics(labels, predictions, ["cat", "dog", "cow"])
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["balanced_accuracy"] == pytest.approx((0.75 + 0.5) / 2)  # no cow is there
    assert metrics["confusion"] == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    cat, dog, cow = metrics["classes"]
    assert cat == {"class": "cat", "precision": 0.75, "recall": 0.75, "f1": 0.75, "support": 4}
    assert dog == {"class": "dog", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert (cow["f1"], cow["support"]) == (0, 0)
    assert metrics["macro"]["f1"] == pytest.approx(1.25 / 3)
    assert metrics["weighted"]["f1"] == pytest.approx((4 * 0.75 + 2 * 0.5) / 6)


def test_predictions_are_those_of_the_network(colours: Dataset) -> None:
    design = Design(kernels=(), normalisation="scale")
    network = build(design, (3, 32, 32), 10)
    pixels = torch.randint(0, 256, (7, 3, 32, 32)).to(torch.uint8)
    images = Images(pixels, torch.zeros(7, dtype=torch.int64))
    found = scoring.predict(network, images, design, colours, torch.device("cpu"), batch=3)
    assert found.tolist() == network(pixels / 255).argmax(1).tolist()

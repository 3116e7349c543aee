"""Predictions of a trained network, and classification metrics, overall and by class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.data.dataset import Dataset
from models.data.images import Images
from models.design import Design
from models.training.augmentation import Normaliser


def predict(
    network: nn.Module,
    images: Images,
    design: Design,
    dataset: Dataset,
    device: torch.device,
    batch: int = 256,
) -> NDArray[np.int64]:
    """Predicted classes (n,) of the images, by `network` on `device`, in fp32."""
    normalise = Normaliser(design.normalisation, dataset.mean, dataset.deviation, device)
    network.eval()
    with torch.inference_mode():
        parts = [
            network(normalise(pixels.to(device))).argmax(1).cpu()
            for pixels in images.pixels.split(batch)
        ]
    return torch.cat(parts).numpy()


def classification_metrics(
    labels: NDArray[np.int64], predictions: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, Any]:
    """Classification metrics: accuracy, balanced accuracy, and scores of each class.

    Balanced accuracy is the mean recall of the classes that have images. Each class has precision,
    recall, F1 and support; their macro and weighted means follow. confusion[i][j] counts images of
    class i that were taken for class j.
    """
    # Slow to import, and needed only at a search's end.
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    numbers = np.arange(len(classes))
    columns = ("precision", "recall", "f1")

    def scores(average: str | None) -> Any:
        return precision_recall_fscore_support(
            labels, predictions, labels=numbers, average=average, zero_division=0
        )

    each = scores(None)
    return {
        "images": len(labels),
        "accuracy": float((labels == predictions).mean()),
        "balanced_accuracy": float(each[1][each[3] > 0].mean()),
        "classes": [
            {"class": name}
            | {column: float(each[i][n]) for i, column in enumerate(columns)}
            | {"support": int(each[3][n])}
            for n, name in enumerate(classes)
        ],
        **{
            average: dict(zip(columns, map(float, scores(average)[:3]), strict=True))
            for average in ("macro", "weighted")
        },
        "confusion": confusion_matrix(labels, predictions, labels=numbers).tolist(),
    }

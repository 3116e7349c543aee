"""Designs that a run never trains, for they cannot be trained there."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.dataset import Dataset
from models.design import Design
from search.plan import Plan
from search.session import _refusal

DESIGN = Design(kernels=((4,),), dense=(4,), batch_norm=True, batch_size=64)


def session(digits: Dataset, workers: int, images: int, most: int | None = None) -> Any:
    return SimpleNamespace(
        dataset=digits,
        job=SimpleNamespace(max_parameters=most),
        plan=Plan(1, workers, 1, 0),
        selection=SimpleNamespace(train=np.arange(images)),
    )


@pytest.mark.parametrize(
    ("workers", "images", "most", "said"),
    [
        (1, 1000, None, ""),
        (1, 1000, 10, "more than --max-parameters 10"),
        (65, 1000, None, "a batch of 64 cannot be shared by 65 workers"),
        (20, 18, None, "a batch of 18 cannot be shared by 20 workers"),
        (16, 18, None, "16 share a batch of 18"),
        (9, 18, None, ""),
    ],
)
def test_what_cannot_be_trained_is_refused(
    workers: int, images: int, most: int | None, said: str, digits: Dataset
) -> None:
    found = _refusal(session(digits, workers, images, most), DESIGN)
    assert found == said or (said and said in found)

import re

import pytest

from models.design import Design
from models.short_design import describe, file_name
from models.transcript import TRANSCRIPT


@pytest.mark.parametrize(
    ("design", "text"),
    [
        (Design(kernels=((32,), (64,), (128,)), batch_norm=True), "cnn 32-64-128, bn, adam 1e-3"),
        (
            Design(kernels=((50,), (100, 100)), kernel_size=5, dense=(40, 20), flat_dropout=0.2),
            "cnn 50-100+100 of 5x5, dense 40-20, dropout, adam 1e-3",
        ),
        (Design(kernels=(), dense=(300,), learning_rate=0.00321), "mlp 300, adam 3.2e-3"),
        (Design(kernels=(), learning_rate=0.5), "mlp without hidden layer, adam 0.5"),
        (
            Design(
                kernels=((8,),),
                optimizer="momentum",
                momentum=0.9,
                learning_rate=0.05,
                schedule="one_cycle",
                augmentation="flip_crop",
            ),
            "cnn 8, momentum 5e-2, one-cycle, flip-crop",
        ),
    ],
)
def test_a_few_words_for_people(design: Design, text: str) -> None:
    assert describe(design) == text


@pytest.mark.parametrize("name", TRANSCRIPT)
def test_they_serve_as_a_file_s_name(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{3,150}", file_name(TRANSCRIPT[name]))

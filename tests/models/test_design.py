import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.design import Design, from_dict, to_dict, to_row
from models.transcript import TRANSCRIPT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kernels", ((0,),)),
        ("kernels", ((),)),
        ("kernels", ((8,),) * 9),
        ("kernel_size", 2),
        ("pooling", "stride"),
        ("block_dropout", (0.1,)),
        ("block_dropout", (0.1, 0.2, 1.0)),
        ("flat_dropout", -0.1),
        ("dense", (1, 2, 3, 4)),
        ("dense", (2.5,)),
        ("dense_dropout", 1),
        ("activation", "tanh"),
        ("normalisation", "none"),
        ("optimizer", "lion"),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("momentum", 0.9),
        ("weight_decay", -1),
        ("schedule", "step"),
        ("batch_size", 0),
        ("epochs", 1.5),
        ("label_smoothing", 1),
        ("augmentation", "mixup"),
        ("gradient_clip", -1),
    ],
)
def test_bad_value_is_named_with_what_is_allowed(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{field} is .*; allowed: "):
        Design(**{field: value})


def test_momentum_belongs_to_its_optimizers() -> None:
    assert Design(optimizer="nesterov", momentum=0.9).momentum == 0.9
    with pytest.raises(ValueError, match="momentum"):
        Design(optimizer="momentum")


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown design field 'depth'"):
        from_dict({"depth": 3})


@pytest.mark.parametrize("name", TRANSCRIPT)
def test_designs_survive_json(name: str) -> None:
    design = TRANSCRIPT[name]
    again = from_dict(json.loads(json.dumps(to_dict(design))))
    assert again == design
    assert again.id == design.id


@given(st.integers(0, 3), st.floats(1e-6, 10))
def test_id_tells_designs_apart(dense: int, rate: float) -> None:
    one = Design(dense=(7,) * dense, learning_rate=rate)
    assert one.id == Design(dense=(7,) * dense, learning_rate=rate).id
    assert one.id != dataclasses.replace(one, learning_rate=rate * 2).id


def test_whole_numbers_and_their_floats_are_one_design() -> None:
    assert Design(flat_dropout=0).id == Design(flat_dropout=0.0).id


def test_row_writes_layers_as_words() -> None:
    row = to_row(TRANSCRIPT["cnn-5-dropout"])
    assert (row["kernels"], row["dense"]) == ("50|100-100|200-200", "40-40")
    assert TRANSCRIPT["cnn-5-dropout"].depth == 8

"""model.onnx and model.pt2 are what a stranger needs: fed with pixels in 0..1 they tell what the
network does."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor

from models.data.dataset import Dataset, load
from models.data.images import Images, Subset
from models.design import Design
from models.network import build
from models.training import onnx_export
from models.training.device import FIXED
from models.training.program_export import exported
from models.training.scoring import predict
from models.training.training_run import Training

CPU = torch.device("cpu")
NAMES = ("caf\udce9", 'a "b"\n<script>', "猫", "c,d", "|&_%#$", "é", "f", "g", "h", "i")


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {each.key: each.value for each in model.metadata_props}


def assert_same_probabilities(training: Training, images: Images, logits: Tensor) -> None:
    """Those of the network in training's own normalisation, to 1e-4."""
    with torch.inference_mode():
        known = training.network(training._normalise(images.pixels[: len(logits)]))
    assert torch.allclose(logits.softmax(1), known.softmax(1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("normalisation", ["scale", "standardise"])
def test_pixels_in_0_to_1_give_the_network_s_predictions(
    normalisation: str, digits: Dataset, digits_subsets: tuple[Subset, Subset], tmp_path: Path
) -> None:
    design = Design(kernels=((8,),), batch_norm=True, normalisation=normalisation, epochs=1)
    training = Training(
        design, digits, *digits_subsets, seed=0, device=CPU, precision=FIXED["fp32"]
    )
    training.run_epoch()
    path = tmp_path / "model.onnx"
    program = exported(training.network, design, digits)
    onnx_export.write(program, design, digits, {"trial": 7, "val_accuracy": 0.9}, path)
    torch.export.save(program, tmp_path / "model.pt2")
    model = onnx.load(str(path))
    onnx.checker.check_model(model)
    test = load(digits, "test")
    expected = predict(training.network, test, design, digits, CPU)
    pixels = test.pixels.numpy().astype(np.float32) / 255
    (logits,) = ReferenceEvaluator(model).run(None, {"images": pixels})
    assert (logits.argmax(1) == expected).all()
    assert_same_probabilities(training, test, torch.from_numpy(logits))
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    for count in (1, 2, len(test)):  # the number of images is free
        assert_same_probabilities(training, test, loaded(torch.from_numpy(pixels[:count])))
    told = metadata(model)
    assert json.loads(told["classes"]) == [str(digit) for digit in range(10)]
    assert (told["trial"], told["val_accuracy"]) == ("7", "0.9")
    assert (told["design_id"], told["channel_order"]) == (design.id, "grey")
    assert json.loads(told["input_shape"]) == ["n", 1, 8, 8] and told["input_range"] == "0..1"
    assert told["normalisation"].startswith("standardise") == (normalisation == "standardise")
    assert (
        "divided by 255" in model.doc_string and "divided by 255" in model.graph.input[0].doc_string
    )
    assert model.producer_name == "kneepoint"


def test_each_channel_has_its_own_mean_and_any_class_name_is_kept(
    colours: Dataset, tmp_path: Path
) -> None:
    dataset = dataclasses.replace(colours, classes=NAMES, deviation=(0.25, 0.0, 0.2))
    design = Design(kernels=((4,),), normalisation="standardise")
    network = build(design, dataset.shape, 10)
    pixels = torch.randint(0, 256, (5, 3, 32, 32)).to(torch.uint8)
    expected = predict(network, Images(pixels, torch.zeros(5).long()), design, dataset, CPU)
    path = tmp_path / "model.onnx"
    onnx_export.write(exported(network, design, dataset), design, dataset, {}, path)
    model = onnx.load(str(path))
    (logits,) = ReferenceEvaluator(model).run(None, {"images": pixels.numpy() / np.float32(255)})
    assert logits.argmax(1).tolist() == expected.tolist()
    told = metadata(model)
    assert json.loads(told["classes"]) == ["café", 'a "b"_<script>', *NAMES[2:]]
    assert told["channel_order"] == "RGB"

"""ONNX export of a trained network, normalisation and metadata included."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.data.dataset import Dataset
from models.data.names import readable
from models.design import Design

INPUT, OUTPUT = "images", "logits"
CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}


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


def write(
    network: nn.Module, design: Design, dataset: Dataset, facts: dict[str, Any], path: Path
) -> None:
    """Exports `network` to an ONNX file at `path`, its normalisation in the graph.

    The metadata are `facts` and those of `describe`.
    """
    program = torch.onnx.export(
        FromPixels(network, design, dataset).eval(),
        (torch.zeros(2, *dataset.shape),),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: torch.export.Dim("n")},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = program.model
    told = describe(design, dataset) | facts
    model.metadata_props.update({key: _text(value) for key, value in told.items()})
    model.doc_string = f"{told['input']}. Output: {told['output']}."
    model.graph.inputs[0].doc_string = told["input"]
    model.graph.outputs[0].doc_string = told["output"]
    model.producer_name, model.producer_version = "kneepoint", told["kneepoint_version"]
    program.save(str(path), external_data=False)


def describe(design: Design, dataset: Dataset) -> dict[str, Any]:
    """Metadata for users of the network: its input, output, classes and normalisation."""
    channels, height, width = dataset.shape
    order = CHANNELS.get(channels, f"{channels} channels")
    inside = f"mean {list(dataset.mean)}, deviation {list(dataset.deviation)}"
    return {
        "classes": [readable(name) for name in dataset.classes],
        "input": (
            f"Input: float32 ({INPUT}: n, {channels}, {height}, {width}), {order} pixels divided "
            f"by 255, so in 0..1; any other normalisation is in the graph"
        ),
        "output": f"float32 ({OUTPUT}: n, {len(dataset.classes)}), of each class in its order; "
        "the largest is the class, softmax makes them probabilities",
        "input_range": "0..1",
        "input_layout": "NCHW",
        "input_shape": ["n", channels, height, width],
        "channel_order": order,
        "normalisation": (
            f"standardise, in the graph: {inside}"
            if design.normalisation == "standardise"
            else "none but the division by 255"
        ),
        "dataset": readable(dataset.name),
        "dataset_notices": [readable(notice) for notice in dataset.notices],
        "design_id": design.id,
        "kneepoint_version": metadata.version("kneepoint"),
    }


def _text(value: Any) -> str:
    """A metadata value as text: JSON where it is not a string."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

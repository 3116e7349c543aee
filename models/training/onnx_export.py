"""ONNX export of a trained network's program, with metadata."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from models.data.dataset import Dataset
from models.data.names import readable
from models.design import Design

INPUT, OUTPUT = "images", "logits"
CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}


def write(
    program: ExportedProgram,
    design: Design,
    dataset: Dataset,
    facts: dict[str, Any],
    path: Path,
) -> None:
    """Exports a program that takes pixels in 0..1 to an ONNX file at `path`.

    The metadata are `facts` and those of `describe`.
    """
    converted = torch.onnx.export(
        program, input_names=[INPUT], output_names=[OUTPUT], dynamo=True, verbose=False
    )
    assert converted is not None
    model = converted.model
    told = describe(design, dataset) | facts
    model.metadata_props.update({key: _text(value) for key, value in told.items()})
    model.doc_string = f"{told['input']}. Output: {told['output']}."
    model.graph.inputs[0].doc_string = told["input"]
    model.graph.outputs[0].doc_string = told["output"]
    model.producer_name, model.producer_version = "kneepoint", told["kneepoint_version"]
    converted.save(str(path), external_data=False)


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

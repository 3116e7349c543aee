import dataclasses

import pytest
import torch

from models.data.dataset import Dataset
from models.design import Design
from search.cluster import gpu_sharing
from search.cluster.gpu_sharing import Packing
from search.terms.plan import Plan

SMALL = Design(kernels=((4,),), batch_size=8)


@pytest.mark.parametrize(
    ("plan", "nodes", "expected"),
    [
        (Plan(4, 1, 1, 0.25), [{"CPU": 8, "GPU": 1}], 4),
        (Plan(8, 1, 1, 0.25), [{"CPU": 8, "GPU": 2}], 4),
        (Plan(3, 1, 1, 0.25), [{"CPU": 8, "GPU": 1}], 3),
        (Plan(2, 1, 4, 0.25), [{"CPU": 8, "GPU": 1}], 2),
        (Plan(4, 1, 1, 1.0), [{"CPU": 8, "GPU": 4}], 1),
        (Plan(4, 1, 1, 0.0), [{"CPU": 8}], 1),
        (Plan(4, 1, 1, 0.25), [{"CPU": 8}], 1),
    ],
)
def test_how_many_lanes_share_a_device(plan: Plan, nodes: list, expected: int) -> None:
    """1 or none where nothing is shared, and nothing is to be measured."""
    assert max(1, gpu_sharing.lanes_on_a_device(plan, nodes)) == expected


def test_the_verdict() -> None:
    assert str(Packing(4, 100, 250)) == "4 lanes on a GPU train 2.50 times what one does"
    assert "--gpus-per-worker 1" in str(Packing(4, 100, 80))


def test_a_lane_measures_longer_than_a_design_trains(digits: Dataset) -> None:
    design = dataclasses.replace(SMALL, schedule="one_cycle", epochs=1, batch_size=4096)
    assert gpu_sharing.Lane(design, digits, 1).run(0.01) > 0


def test_processes_measure_alone_and_together(ray_cluster: str, digits: Dataset) -> None:
    import ray

    ray.init(address=ray_cluster, log_to_driver=False)
    try:
        found = gpu_sharing.measure(Plan(2, 1, 1, 0), SMALL, digits, 2)
    finally:
        ray.shutdown()
    assert found.lanes == 2 and found.alone > 0
    assert 0.5 < found.gain < 2.5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_lanes_share_a_gpu(digits: Dataset) -> None:
    import ray

    ray.init(address="local", num_cpus=4, log_to_driver=False)
    try:
        found = gpu_sharing.measure(Plan(4, 1, 1, 0.25), SMALL, digits, 4)
    finally:
        ray.shutdown()
    assert found.gain > 0.5

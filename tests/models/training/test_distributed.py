"""Two processes that share each batch against one that has it all."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as processes

from models import checkpoint
from models.data.dataset import Dataset
from models.data.images import Subset
from models.design import Design
from models.training.device import FIXED
from models.training.training_run import Training
from tests.conftest import free_port

DESIGN = Design(
    kernels=((6,), (8,)),
    dense=(12,),
    optimizer="momentum",
    learning_rate=0.05,
    momentum=0.9,
    batch_size=63,  # odd: the two shares differ
    epochs=3,
    augmentation="flip_crop",
)


def train(data: Dataset, subsets: tuple[Subset, Subset]) -> tuple[list, dict]:
    torch.set_num_threads(1)
    training = Training(
        DESIGN, data, *subsets, seed=5, device=torch.device("cpu"), precision=FIXED["fp32"]
    )
    return [training.run_epoch() for _ in range(3)], training.network.state_dict()


def worker(rank: int, port: int, data: Dataset, subsets: tuple, folder: str) -> None:
    address = f"tcp://127.0.0.1:{port}"
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    results, weights = train(data, subsets)
    metrics = [
        [r.train_loss, r.train_accuracy, r.val_loss, r.val_accuracy, r.val_balanced_accuracy]
        for r in results
    ]
    checkpoint.save({"metrics": metrics, "weights": weights}, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_workers_equal_one(
    digits: Dataset, digits_subsets: tuple[Subset, Subset], tmp_path: Path
) -> None:
    processes.spawn(worker, (free_port(), digits, digits_subsets, str(tmp_path)), nprocs=2)
    first, second = (checkpoint.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    results, weights = train(digits, digits_subsets)

    assert first["metrics"] == second["metrics"]
    for result, (train_loss, train_accuracy, val_loss, val_accuracy, balanced) in zip(
        results, first["metrics"], strict=True
    ):
        assert train_loss == pytest.approx(result.train_loss, rel=1e-4)
        assert val_loss == pytest.approx(result.val_loss, rel=1e-4)
        assert train_accuracy == pytest.approx(result.train_accuracy)
        assert val_accuracy == pytest.approx(result.val_accuracy)
        assert balanced == pytest.approx(result.val_balanced_accuracy)
    for name, tensor in weights.items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        torch.testing.assert_close(first["weights"][name], tensor, rtol=1e-3, atol=1e-5)

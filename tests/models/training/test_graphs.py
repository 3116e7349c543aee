"""CUDA graphs, with several workers, dropout and checkpoints: as plain calls train."""

import itertools
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as processes

from models import checkpoint
from models.data.dataset import Dataset
from models.data.images import Subset
from models.design import Design
from models.training.device import Precision
from models.training.training_run import Training
from tests.conftest import free_port
from tests.models import emulated_graphs

CASES = [(*case, "fp32") for case in itertools.product((False, True), (False, True))]
"""Dropout, going on from a checkpoint, and what is computed."""


def trained(
    case: tuple[bool, bool, str],
    data: Dataset,
    subsets: tuple[Subset, Subset],
    device: torch.device,
    *,
    graphs: bool,
) -> tuple[list[list[float]], dict]:
    dropout, resumed, dtype = case
    design = Design(
        kernels=((6,), (8,)),
        batch_norm=True,
        block_dropout=(0.2, 0.2) if dropout else (),
        dense=(12,),
        dense_dropout=0.3 if dropout else 0,
        optimizer="momentum",
        learning_rate=0.05,
        momentum=0.9,
        batch_size=63,  # odd: the two shares differ
        gradient_clip=1.0,
        epochs=2,
    )
    precision = Precision(dtype, channels_last=True, graphs=graphs)

    def start() -> Training:
        return Training(design, data, *subsets, seed=5, device=device, precision=precision)

    training = start()
    results = [training.run_epoch()]
    if resumed:
        state = training.state()
        training = start()
        training.load_state(state)
    results.append(training.run_epoch())
    losses = [[result.train_loss, result.val_loss, result.val_accuracy] for result in results]
    return losses, training.network.state_dict()


def assert_graphs_train_as_plain_calls(
    cases: list, data: Dataset, subsets: tuple[Subset, Subset]
) -> list:
    """What was found in each case."""
    train, validation = subsets
    subsets = (
        Subset(train.images, train.index[:260]),
        Subset(validation.images, validation.index[:60]),
    )
    found = []
    for case in cases:
        plain = trained(case, data, subsets, torch.device("cpu"), graphs=False)
        graphed = trained(case, data, subsets, torch.device("cpu"), graphs=True)
        assert graphed[0] == plain[0], case
        for name, tensor in plain[1].items():
            assert torch.equal(graphed[1][name], tensor), (case, name)
        found.append(plain[0])
    return found


@pytest.fixture(autouse=True)
def emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "make_graphed_callables", emulated_graphs.make_graphed_callables
    )


def test_one_worker(digits: Dataset, digits_subsets: tuple[Subset, Subset]) -> None:
    assert_graphs_train_as_plain_calls([*CASES, (True, True, "bf16")], digits, digits_subsets)


def worker(rank: int, port: int, data: Dataset, subsets: tuple, folder: str) -> None:
    torch.set_num_threads(1)
    torch.cuda.make_graphed_callables = emulated_graphs.make_graphed_callables
    address = f"tcp://127.0.0.1:{port}"
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    found = assert_graphs_train_as_plain_calls(CASES, data, subsets)
    checkpoint.save({"losses": found}, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_workers(
    digits: Dataset, digits_subsets: tuple[Subset, Subset], tmp_path: Path
) -> None:
    processes.spawn(worker, (free_port(), digits, digits_subsets, str(tmp_path)), nprocs=2)
    first, second = (checkpoint.load(tmp_path / f"{rank}.pt")["losses"] for rank in (0, 1))
    assert first == second and len(first) == len(CASES)


def gpu_worker(rank: int, port: int, data: Dataset, subsets: tuple) -> None:
    """NCCL knows of one worker a GPU; gloo shares one."""
    address = f"tcp://127.0.0.1:{port}"
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    for dtype in ("fp32", "bf16"):
        case = (False, True, dtype)
        plain = trained(case, data, subsets, torch.device("cuda"), graphs=False)
        graphed = trained(case, data, subsets, torch.device("cuda"), graphs=True)
        for one, other in zip(plain[0], graphed[0], strict=True):
            assert other[:2] == pytest.approx(one[:2], rel=0.05)
    dist.destroy_process_group()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_two_workers_on_a_gpu(digits: Dataset, digits_subsets: tuple[Subset, Subset]) -> None:
    processes.spawn(gpu_worker, (free_port(), digits, digits_subsets), nprocs=2)

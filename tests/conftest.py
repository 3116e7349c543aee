"""What all tests share: a cache of their own, one thread, small images, one Ray cluster."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch

from models.data.dataset import Dataset, Source, load, prepare
from models.data.images import Images, Subset, everything, split
from search.record.ledger import Ledger

# How long an example takes says more of the machine than of the code; tests have time-outs.
hypothesis.settings.register_profile("kneepoint", deadline=None)
hypothesis.settings.load_profile("kneepoint")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    os.environ["KNEEPOINT_CACHE"] = str(folder)
    torch.set_num_threads(1)
    return folder


@pytest.fixture(autouse=True)
def same_chance() -> None:
    """What a test draws without a seed of its own is the same in each run."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def ledgers_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Most tests leave a ledger as a killed search does: open."""
    segments, open_segment = [], Ledger._open_segment

    def opened(ledger: Ledger, number: int) -> Any:
        segments.append(open_segment(ledger, number))
        return segments[-1]

    monkeypatch.setattr(Ledger, "_open_segment", opened)
    yield
    for segment in segments:
        segment.close()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return prepare(Source("digits"))


@pytest.fixture(scope="session")
def digits_subsets(digits: Dataset) -> tuple[Subset, Subset]:
    return split(load(digits, "train"))


@pytest.fixture(scope="session")
def colours() -> Dataset:
    """A stand-in for CIFAR-10's description: 32x32 pixels, three channels, ten classes."""
    return Dataset(
        source=Source(),
        name="colours",
        key="colours",
        fingerprint="",
        classes=tuple("abcdefghij"),
        shape=(3, 32, 32),
        mean=(0.5, 0.4, 0.3),
        deviation=(0.25, 0.2, 0.2),
        train_count=96,
        test_count=0,
    )


@pytest.fixture(scope="session")
def colour_images() -> Subset:
    """96 images whose class shows in where a bright square stands."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(96) % 10
    pixels = torch.randint(0, 100, (96, 3, 32, 32), generator=generator)
    for image, label in zip(pixels, labels.tolist(), strict=True):
        row, column = divmod(label, 4)
        image[:, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] += 150
    return everything(Images(pixels.to(torch.uint8), labels))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """One local cluster of two cores for all tests; commands find it as users' would."""
    from ray.cluster_utils import Cluster

    from search.cluster import ray_connection as ours

    ours.apply_settings()
    head = {"num_cpus": 2, "include_dashboard": True, "dashboard_host": "127.0.0.1"}
    cluster = Cluster(initialize_head=True, head_node_args=head | {"dashboard_port": free_port()})
    os.environ["RAY_ADDRESS"] = cluster.address
    yield cluster.address
    del os.environ["RAY_ADDRESS"]
    cluster.shutdown()

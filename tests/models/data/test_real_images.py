"""CIFAR-10 itself, where it can be had."""

import os
import urllib.request

import pytest
import torch
from torchvision.datasets import CIFAR10

from models.data.dataset import Source, load, prepare
from models.data.images import split
from models.training.device import FIXED
from models.training.training_run import Training
from models.transcript import TRANSCRIPT

FOLDER = os.environ.get("KNEEPOINT_CIFAR10", "")


@pytest.mark.slow
@pytest.mark.images
@pytest.mark.timeout(600)
@pytest.mark.skipif(not FOLDER, reason="KNEEPOINT_CIFAR10 names no folder of CIFAR-10 images")
def test_one_epoch_on_cifar10_as_a_folder() -> None:
    dataset = prepare(Source(data_dir=FOLDER))
    assert (dataset.train_count, dataset.test_count) == (50_000, 10_000)
    assert (dataset.shape, len(dataset.classes)) == ((3, 32, 32), 10)
    assert dataset.mean == pytest.approx((0.491, 0.482, 0.447), abs=0.002)
    assert dataset.deviation == pytest.approx((0.247, 0.243, 0.262), abs=0.004)
    train, validation = split(load(dataset, "train"))
    training = Training(
        TRANSCRIPT["cnn-3"],
        dataset,
        train,
        validation,
        seed=0,
        device=torch.device("cpu"),
        precision=FIXED["fp32"],
    )
    assert training.run_epoch().val_accuracy > 0.5


def reachable() -> bool:
    try:
        return urllib.request.urlopen(CIFAR10.url, timeout=5).status == 200
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(1200)
def test_cifar10_is_downloaded() -> None:
    if not reachable():
        pytest.skip(f"{CIFAR10.url} is not reachable from here")
    dataset = prepare(Source("cifar10"))
    assert (dataset.train_count, dataset.test_count) == (50_000, 10_000)
    assert load(dataset, "train").labels.bincount().tolist() == [5000] * 10

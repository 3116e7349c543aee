import pytest
import torch

from models.data.images import Subset
from models.design import Design
from models.network import build
from models.training import batches as module
from models.training.augmentation import Normaliser, augment, cut_out, draw
from models.training.batches import batches, cannot_share, share

CPU = torch.device("cpu")
NORMALISE = Normaliser("standardise", (0.5, 0.4, 0.3), (0.25, 0.2, 0.1), CPU)


def all_batches(train: Subset, augmentation: str = "flip_crop_cutout", **options) -> list:
    defaults = {"size": 20, "rank": 0, "workers": 1, "seed": 5}
    defaults["memory_format"] = torch.contiguous_format
    return list(batches(train, NORMALISE, augmentation, **(defaults | options)))


@pytest.mark.parametrize("augmentation", ["none", "flip", "flip_crop", "flip_crop_cutout"])
def test_batches_equal_those_of_a_plain_loop(augmentation: str, colour_images: Subset) -> None:
    generator = torch.Generator().manual_seed(5)
    order = torch.randperm(96, generator=generator)[:80]
    draws = draw(augmentation, 80, 32, 32, generator)
    found = all_batches(colour_images, augmentation)
    assert len(found) == 4
    for number, (images, labels) in enumerate(found):
        rows = slice(number * 20, number * 20 + 20)
        pixels = augment(colour_images.images.pixels[order[rows]], draws.rows(rows))
        assert torch.equal(images, cut_out(NORMALISE(pixels), draws.rows(rows)))
        assert torch.equal(labels, colour_images.images.labels[order[rows]])


def test_how_much_is_prepared_at_once_changes_nothing(colour_images: Subset, monkeypatch) -> None:
    found = []
    for size in (1, 1 << 18, 1 << 30):
        monkeypatch.setitem(module.PREPARED_BYTES, "cpu", size)
        found.append(all_batches(colour_images))
    for other in found[1:]:
        for (one, _), (two, _) in zip(found[0], other, strict=True):
            assert torch.equal(one, two)


def test_workers_share_each_batch(colour_images: Subset) -> None:
    """Of an odd batch too; and all in the order in memory that was asked for."""
    whole = all_batches(colour_images, size=21)
    shares = [
        all_batches(colour_images, size=21, rank=rank, workers=2, memory_format=torch.channels_last)
        for rank in (0, 1)
    ]
    for (images, labels), (first, one), (second, two) in zip(whole, *shares, strict=True):
        assert torch.equal(images[0::2], first) and torch.equal(images[1::2], second)
        assert torch.equal(labels[0::2], one) and torch.equal(labels[1::2], two)
        assert first.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("change", "images", "workers", "said"),
    [
        ({}, 1000, 4, ""),
        ({}, 1000, 9, "a batch of 8 cannot be shared by 9 workers"),
        ({}, 3, 4, "a batch of 3 cannot be shared by 4 workers"),
        ({}, 5, 4, ""),
        ({"batch_norm": True, "dense": (4,)}, 1000, 4, ""),
        ({"batch_norm": True, "dense": (4,)}, 1000, 5, "5 share a batch of 8"),
        ({"batch_norm": True, "dense": (4,)}, 7, 4, "4 share a batch of 7"),
        ({"batch_norm": True}, 1000, 8, ""),
    ],
)
def test_batches_that_workers_cannot_share(change: dict, images: int, workers: int, said: str):
    design = Design(kernels=((4,),), batch_size=8, **change)
    found = cannot_share(design, images, workers)
    assert found == said or (said and said in found)
    assert sum(share(8, rank, workers) for rank in range(workers)) == 8
    if not found:  # each share can be trained
        network = build(design, (3, 4, 4), 10)
        for rank in range(workers):
            network(torch.rand(share(min(8, images), rank, workers), 3, 4, 4))


def test_normalised_pixels_have_no_mean_and_unit_deviation() -> None:
    pixels = torch.randint(0, 256, (500, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    pixels = pixels.to(torch.uint8)
    scaled = pixels.double() / 255
    mean, deviation = (
        tuple(each.tolist()) for each in (scaled.mean((0, 2, 3)), scaled.std((0, 2, 3)))
    )
    for order in (torch.contiguous_format, torch.channels_last):
        out = Normaliser("standardise", mean, deviation, CPU)(pixels.to(memory_format=order))
        assert out.is_contiguous(memory_format=order)
        torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
        torch.testing.assert_close(out.std((0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)
        plain = Normaliser("scale", mean, deviation, CPU)(pixels.to(memory_format=order))
        torch.testing.assert_close(plain, scaled.float())

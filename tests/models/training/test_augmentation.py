import pytest
import torch
from torch.nn.functional import pad

from models.training.augmentation import Draws, Normaliser, augment, cut_out, draw

IMAGES = torch.randint(
    0, 256, (20, 3, 16, 12), generator=torch.Generator().manual_seed(1), dtype=torch.uint8
)


def drawn(augmentation: str) -> Draws:
    return draw(augmentation, 20, 16, 12, torch.Generator().manual_seed(2))


def test_none_leaves_pixels_alone() -> None:
    assert augment(IMAGES, drawn("none")) is IMAGES


def test_flip_mirrors_the_drawn_ones() -> None:
    draws = drawn("flip")
    assert 0 < draws.flip.sum() < 20
    for image, out, flip in zip(IMAGES, augment(IMAGES, draws), draws.flip, strict=True):
        assert torch.equal(out, image.flip(2) if flip else image)


def test_crop_equals_a_loop() -> None:
    draws = drawn("flip_crop")
    padded = pad(IMAGES, (1, 1, 2, 2))  # an eighth of 12 and of 16
    for n, out in enumerate(augment(IMAGES, draws)):
        top, left = draws.shift[n]
        crop = padded[n, :, top : top + 16, left : left + 12]
        assert torch.equal(out, crop.flip(2) if draws.flip[n] else crop)


def test_cutout_blanks_a_square() -> None:
    draws = drawn("flip_crop_cutout")
    out = cut_out(torch.ones(20, 3, 16, 12), draws)
    for n, (row, column) in enumerate(draws.hole.tolist()):
        expected = torch.ones(16, 12)
        expected[max(0, row - 4) : row + 4, max(0, column - 3) : column + 3] = 0
        assert torch.equal(out[n], expected.expand(3, 16, 12))


def test_same_generator_same_draws() -> None:
    one, other = drawn("flip_crop_cutout"), drawn("flip_crop_cutout")
    assert torch.equal(one.shift, other.shift) and torch.equal(one.hole, other.hole)


def test_normalisation_by_hand() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    device = torch.device("cpu")
    scale = Normaliser("scale", (0.5,), (0.25,), device)
    standardise = Normaliser("standardise", (0.5,), (0.25,), device)
    assert scale(pixels).flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert standardise(pixels).flatten().tolist() == pytest.approx([-2, -1.2, 2])
    flat = Normaliser("standardise", (0.5,), (0.0,), device)
    assert flat(pixels).isfinite().all()

"""One size for all images: which, and that nothing is squashed or cut off."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.data import image_sizes
from models.data.dataset import load
from models.data.image_sizes import choose, fit, within
from models.data.images import DataError
from tests.models.image_folders import read, write_images


@pytest.mark.parametrize("size", [(20, 96), (5, 5), (250, 3)])
def test_equal_sizes_stay(size: tuple[int, int]) -> None:
    assert choose([size] * 9, None) == (size, [])


def test_the_median_decides_not_the_most_common() -> None:
    sizes = [(20, 96)] * 3 + [(30 + n, 25) for n in range(41)]
    wanted, (notice,) = choose(sizes, None)
    assert wanted == (52, 52)  # longer sides: 30 to 70, and three of 96
    assert notice == (
        "images differ in size, 30x25 to 20x96: 44 are brought in proportion into 52x52, the rest "
        "filled with the colour of the border (the median of the longer sides is 52; --image-size "
        "N takes another side)"
    )


def test_a_few_odd_images_change_no_others() -> None:
    wanted, (notice,) = choose([(96, 72)] * 19 + [(20, 20)], None)
    assert wanted == (96, 72)
    assert notice.startswith("1 image has another size than the other 19: brought in proportion")
    assert choose([(96, 72)] * 8 + [(20, 20)], None)[0] == (64, 64)


def test_large_photographs_are_made_small_unless_asked_otherwise() -> None:
    wanted, (notice,) = choose([(4000, 3000), (3000, 4000), (1200, 800)], None)
    assert wanted == (64, 64)
    assert "median of the longer sides is 4000, 64 the largest side taken without" in notice
    assert choose([(4000, 3000), (3000, 4000)], 224)[0] == (224, 224)


def test_large_images_of_one_size_are_worth_a_word() -> None:
    wanted, (notice,) = choose([(400, 300)] * 9, None)
    assert wanted == (400, 300)
    assert "as large as 400x300" in notice and "--image-size 64" in notice


def test_what_does_not_fit_into_memory_names_a_side_that_does(monkeypatch) -> None:
    monkeypatch.setattr(image_sizes, "MOST_BYTES", 3 * 100 * 20**2)
    with pytest.raises(DataError, match=r"100 images of 40x30 .* --image-size 20"):
        choose([(40, 30)] * 100, None)
    assert choose([(40, 30)] * 100, 20)[0] == (20, 20)


@given(st.tuples(*[st.integers(1, 5000)] * 2), st.tuples(*[st.integers(1, 300)] * 2))
def test_as_large_as_it_can_be_in_proportion(size, wanted) -> None:
    width, height = within(size, wanted)
    assert 1 <= width <= wanted[0] and 1 <= height <= wanted[1]
    assert width == wanted[0] or height == wanted[1]
    scale = min(wanted[0] / size[0], wanted[1] / size[1])
    assert abs(width - size[0] * scale) <= 1 and abs(height - size[1] * scale) <= 1


def test_a_circle_stays_a_circle_on_its_page() -> None:
    """A black disc in the middle of a wide white page with a mark on its border."""
    across, down = np.meshgrid(np.arange(160), np.arange(80))
    disc = np.hypot(across - 79.5, down - 39.5) < 30
    page = np.where(disc, 0, 255).astype(np.uint8)
    page[0, :20] = 0
    image = fit(Image.fromarray(page).convert("RGB"), (40, 40))
    dark = np.asarray(image)[1:, :, 0] < 128
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    assert image.size == (40, 40)
    assert np.ptp(rows) == np.ptp(columns) == pytest.approx(14, abs=1)
    assert (np.asarray(image)[[0, -1]] == 255).all()  # filled as the page is


def test_image_size_keeps_the_proportion(tmp_path: Path) -> None:
    found = read(write_images(tmp_path, {"cat": 2, "dog": 2}, (12, 6)), 8)
    assert found.shape == (3, 8, 8)
    assert found.notices == (
        "8 images are not square: in proportion into 8x8, the rest filled with the colour of the "
        "border",
    )
    pixels = load(found, "train").pixels[0]
    assert (pixels[:, :2] == pixels[:, :1, :1]).all() and (pixels[:, 6:] == pixels[:, :1, :1]).all()
    with Image.open(tmp_path / "train/cat/0.png") as image:
        small = np.asarray(image.resize((8, 4), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.array_equal(pixels[:, 2:6], small)


def test_a_folder_of_many_sizes(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 2, "dog": 2})
    Image.new("RGB", (20, 9)).save(root / "train/cat/wide.png")
    found = read(root)
    assert found.shape == (3, 8, 8)
    assert len(found.notices) == 1 and "8x8 to 20x9: 1 is brought" in found.notices[0]

"""Pixels of image files as they are to be seen: upright, opaque, 8 bits, RGB."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.data.dataset import load
from models.data.image_decoding import decode_files
from models.data.images import DataError
from tests.models.image_folders import read, write_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes; the image x of class cat is the test's."""
    return write_images(tmp_path / "pets", {"cat": 1, "dog": 1}, (6, 4))


def add(folder: Path, image: Image.Image, name: str, **save) -> tuple[NDArray[np.uint8], tuple]:
    """Pixels (height, width, 3) of `image` once it was saved as train/cat/`name` and read, and the
    notices."""
    image.save(folder / "train/cat" / f"x{name}", **save)
    found = read(folder)
    return load(found, "train").pixels[1].numpy().transpose(1, 2, 0), found.notices


def gradient(width: int = 6, height: int = 4) -> Image.Image:
    red, green = np.meshgrid(np.linspace(0, 250, width), np.linspace(0, 250, height))
    return Image.fromarray(np.stack([red, green, red], axis=2).astype(np.uint8))


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp", ".jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright(folder: Path, ending: str, orientation: int) -> None:
    stored = gradient(*((4, 6) if orientation > 4 else (6, 4)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if ending == ".jpg" else {}
    options = {"lossless": True} if ending == ".webp" else options
    pixels, notices = add(folder, stored, ending, exif=exif, **options)
    with Image.open(folder / f"train/cat/x{ending}") as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(pixels, upright)
    # All are of one size once they are upright, so that none is resized.
    said = ("1 image is turned upright, as EXIF says the camera was held",)
    expected = () if orientation == 1 or ending == ".tif" else said
    assert notices == expected


def test_a_damaged_orientation_is_none(folder: Path) -> None:
    pixels, notices = add(folder, gradient(), ".jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert pixels.shape == (4, 6, 3) and notices == ()


def clear(mode: str) -> tuple[Image.Image, dict]:
    """Left half opaque black, right half transparent, whatever colour stands there."""
    grey = Image.new("L", (6, 4), 0)
    alpha = Image.new("L", (6, 4), 0)
    alpha.paste(255, (0, 0, 3, 4))
    if mode == "RGBA":
        return Image.merge("RGBA", [grey] * 3 + [alpha]), {}
    if mode == "LA":
        return Image.merge("LA", [grey, alpha]), {}
    grey.paste(7, (3, 0, 6, 4))
    if mode == "L":
        return grey, {"transparency": 7}
    if mode == "RGB":
        return Image.merge("RGB", [grey] * 3), {"transparency": (7, 7, 7)}
    indexed = Image.new("P", (6, 4), 0)
    indexed.putpalette([0, 0, 0, 7, 7, 7])
    indexed.paste(1, (3, 0, 6, 4))
    return indexed, {"transparency": 1 if mode == "P" else bytes([255, 0])}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "RGB", "P", "P bytes"])
def test_transparent_images_are_laid_on_white(folder: Path, mode: str) -> None:
    image, save = clear(mode)
    pixels, notices = add(folder, image, ".png", **save)
    assert (pixels[:, :3] == 0).all() and (pixels[:, 3:] == 255).all()
    assert notices == ("1 image is transparent in part: laid on white",)


def test_half_transparent_pixels_are_mixed(folder: Path) -> None:
    pixels, _ = add(folder, Image.new("RGBA", (6, 4), (100, 0, 0, 51)), ".png")
    assert pixels[0, 0].tolist() == [224, 204, 204]


def test_black_below_is_an_option(folder: Path) -> None:
    white = Image.new("RGBA", (6, 4), (255, 255, 255, 0))
    white.paste((255, 255, 255, 255), (0, 0, 3, 4))
    pixels, notices = add(folder, white, ".png")
    assert (pixels == 255).all()
    assert notices == (
        "1 image is transparent in part: laid on white, on which 1 shows nothing at all: try "
        "--alpha black",
    )
    found = read(folder, alpha="black")
    assert load(found, "train").pixels[1, 0, 0].tolist() == [255] * 3 + [0] * 3
    assert found.notices == ("1 image is transparent in part: laid on black",)


def test_an_alpha_channel_that_is_opaque_is_no_notice(folder: Path) -> None:
    pixels, notices = add(folder, gradient().convert("RGBA"), ".png")
    assert np.array_equal(pixels, np.asarray(gradient())) and notices == ()


@pytest.mark.parametrize(("highest", "most"), [(60_000, 65_535), (4_000, 4_095), (200, 255)])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_16_bits_are_scaled_to_8(folder: Path, highest: int, most: int, ending: str) -> None:
    values = np.linspace(0, highest, 24).astype(np.uint16).reshape(4, 6)
    pixels, notices = add(folder, Image.fromarray(values), ending)
    expected = np.round(values * (255 / most))
    assert np.abs(pixels - expected[:, :, None]).max() <= 1
    assert notices == (f"1 image has more than 8 bits a pixel: 0 to {most} is scaled to 0 to 255",)


@pytest.mark.parametrize(("alpha", "below"), [("white", 255), ("black", 0)])
def test_a_transparent_value_of_16_bits(folder: Path, alpha: str, below: int) -> None:
    values = np.full((4, 6), 30_000, np.uint16)
    values[1, 2], values[0, 0] = 7, 60_000
    Image.fromarray(values).save(folder / "train/cat/x.png", transparency=7)
    found = read(folder, alpha=alpha)
    pixels = load(found, "train").pixels[1].numpy()
    assert set(pixels[:, 1, 2]) == {below} and abs(int(pixels[0, 0, 0]) - 233) <= 1
    assert any("transparent" in notice for notice in found.notices)


@pytest.mark.parametrize("error", [RuntimeError, AttributeError])
def test_whatever_pillow_raises_the_file_is_named(folder: Path, monkeypatch, error) -> None:
    def broken(*arguments, **named):
        raise error("Failed to decode frame 0")

    monkeypatch.setattr(Image.Image, "load", broken)
    with pytest.raises(DataError, match=r"image .*Failed to decode frame 0"):
        read(folder)


def test_values_without_a_known_white_are_refused(folder: Path) -> None:
    Image.new("F", (6, 4)).save(folder / "train/cat/deep.tif")
    with pytest.raises(DataError, match=r"deep\.tif cannot be read \(.*floating point: save it"):
        read(folder)
    Image.fromarray(np.full((4, 6), -1, np.int32)).save(folder / "train/cat/deep.tif")
    with pytest.raises(DataError, match=r"deep\.tif cannot be read \(.*not 0 to 65535"):
        read(folder)


@pytest.mark.parametrize("ending", [".gif", ".tif", ".webp", ".png"])
def test_the_first_of_several_frames(folder: Path, ending: str) -> None:
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "blue", "black")]
    save = {"lossless": True} if ending == ".webp" else {}
    pixels, notices = add(
        folder, frames[0], ending, save_all=True, append_images=frames[1:], **save
    )
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert notices == ("1 image has several frames: the first is taken",)


def test_previews_of_a_camera_are_no_frames(folder: Path) -> None:
    small = Image.new("RGB", (3, 2))
    _, notices = add(folder, gradient(), ".jpg", format="MPO", save_all=True, append_images=[small])
    assert notices == ()


def test_too_large_an_image(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # 24 are odd, 48 too many
    assert read(folder).train_count == 2
    Image.new("RGB", (8, 6)).save(folder / "train/cat/huge.png")
    with pytest.raises(DataError, match=r"huge\.png is too large to be decoded.*make it smaller"):
        read(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "it is HEIC, whatever its name: convert it"),
        (b"\0" * 128 + b"DICM", "it is DICOM"),
        (b"no image at all", "cannot identify image file"),
    ],
)
def test_what_a_file_really_is(folder: Path, content: bytes, said: str) -> None:
    (folder / "train/cat/x.jpg").write_bytes(content)
    with pytest.raises(DataError, match=rf"train/cat/x\.jpg cannot be read \(.*{said}"):
        read(folder)


def test_large_photographs_are_decoded_well_all_the_same(folder: Path) -> None:
    """Far fewer pixels are decoded than the file has."""
    gradient(1200, 800).save(folder / "train/cat/x.jpg", quality=95)
    pixels = load(read(folder, 6), "train").pixels[1].numpy().transpose(1, 2, 0)
    plain = np.asarray(gradient(1200, 800).resize((6, 4), Image.Resampling.BILINEAR))
    assert np.abs(pixels[1:5].astype(int) - plain).max() <= 6


def test_single_files_are_decoded_as_those_of_the_data_set(folder: Path) -> None:
    """Turned, transparent, of 12 bits, of another size: with the set's size, background, white."""
    cat, exif = folder / "train/cat", Image.Exif()
    exif[0x0112] = 6
    gradient(4, 6).save(cat / "turned.png", exif=exif)
    image, options = clear("RGBA")
    image.save(cat / "clear.png", **options)
    Image.fromarray(np.linspace(0, 4000, 24).astype(np.uint16).reshape(4, 6)).save(cat / "deep.png")
    gradient(30, 12).save(cat / "wide.png")
    found = read(folder, alpha="black", size=6)
    assert found.white == 4095
    files = sorted(cat.iterdir())
    pixels = load(found, "train").pixels[: len(files)].numpy()
    decoded = decode_files(files, (6, 6), "black", found.white)
    assert np.array_equal(decoded, pixels)
    alone = [decode_files([file], (6, 6), "black", found.white)[0] for file in files]
    assert np.array_equal(alone, pixels)
    assert decode_files([cat / "deep.png"], (6, 6), white=255).max() == 255  # and none overflows

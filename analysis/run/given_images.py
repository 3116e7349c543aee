"""The image files that a user names, by file or folder, with the classes that folders tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.run.run_folder import RunError
from models.data.class_files import images_below
from models.data.names import class_name, readable


@dataclass(frozen=True)
class GivenImage:
    """An image file, and the number of its class where a folder's name tells it."""

    path: Path
    label: int | None


def find(given: Sequence[Path], classes: Sequence[str]) -> list[GivenImage]:
    """The image files in the order of `given`, those of a folder sorted; RunError where there is
    none.

    An image in a folder has the class after which the outermost folder below the given one is
    named, or else the given one itself.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    found: list[GivenImage] = []
    for path in given:
        found += _below(path, numbers) if path.is_dir() else [_single(path)]
    return found


def _single(path: Path) -> GivenImage:
    if not path.exists():
        raise RunError(f"there is no image {path}")
    return GivenImage(path, None)


def _below(folder: Path, numbers: dict[str, int]) -> list[GivenImage]:
    try:
        paths, skipped = images_below(folder)
    except OSError as error:
        raise RunError(f"folder {folder} cannot be read: {error}") from error
    if not paths:
        raise RunError(f"folder {folder} has no image" + (f"; it has {skipped}" if skipped else ""))
    return [GivenImage(path, _label(path, folder, numbers)) for path in paths]


def _label(path: Path, folder: Path, numbers: dict[str, int]) -> int | None:
    inner = path.relative_to(folder).parts[:-1]
    for name in (*inner[:1], folder.resolve().name):
        number = numbers.get(readable(class_name(name)))
        if number is not None:
            return number
    return None

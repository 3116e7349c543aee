"""Lists a folder of images, DIR/{train,test}/<class>/* and perhaps DIR/validation/<class>/*."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.data.class_files import Skipped, images_below, is_hidden
from models.data.folder_layout import Folders, Part, class_folders, find_parts
from models.data.images import DataError
from models.data.names import class_name, counted, is_utf8, readable, some

Files = list[tuple[Path, int]]
"""Each image's path and the number of its class."""


@dataclass(frozen=True)
class Listing:
    """The classes and image files of a data folder."""

    root: Path
    classes: tuple[str, ...]
    parts: dict[Part, Files]
    notices: tuple[str, ...]
    """For the user: what is read although unusual, and what is not read."""


def list_files(root: Path) -> Listing:
    """Lists the classes and the image files of each part; DataError if the layout is wrong."""
    try:
        return _list(root)
    except OSError as error:
        raise DataError(f"data folder {root} cannot be read ({error})") from error


def _list(root: Path) -> Listing:
    folders = find_parts(root)
    named = {part: _by_class(part, folder) for part, folder in folders.items()}
    classes = _agreed(folders, named)
    parts: dict[Part, Files] = {}
    skipped = Skipped()
    for part, folder in folders.items():
        parts[part] = []
        skipped.add(_beside(folder))
        for label, name in enumerate(classes):
            images, left = images_below(named[part][name])
            skipped.add(left)
            if not images:
                raise DataError(_no_image(named[part][name], left))
            parts[part] += [(path, label) for path in images]
    notices = [
        *_validation_notice(folders, parts),
        *_beside_notice(root, folders),
        *_name_notice(named),
        *_nested_notice(folders, parts),
        *([f"skipped: {skipped}"] if skipped else []),
    ]
    return Listing(root, classes, parts, tuple(notices))


def _by_class(part: Part, root: Path) -> dict[str, Path]:
    """The class folders of a part by the names of their classes."""
    found: dict[str, Path] = {}
    for folder in class_folders(part, root):
        name = class_name(folder.name)
        if name in found:
            raise DataError(
                f"two class folders of {root} have the same name, {name}, but for how its letters "
                f"are stored ({found[name].name!a}, {folder.name!a}): rename one"
            )
        found[name] = folder
    return found


def _agreed(folders: Folders, named: dict[Part, dict[str, Path]]) -> tuple[str, ...]:
    """The class names, sorted; DataError unless all parts have the same."""
    classes = tuple(sorted(named["train"]))
    if len(classes) < 2:
        raise DataError(
            f"{folders['train']} has one class only ({classes[0]}): at least two are needed"
        )
    for part in folders:
        differing = sorted(set(classes) ^ set(named[part]))
        if differing:
            both = (folders["train"].name, folders[part].name)
            has, has_not = both if differing[0] in named["train"] else both[::-1]
            raise DataError(
                f"class {differing[0]} stands in only one of train and {part} of "
                f"{folders['train'].parent}: {has} has it, {has_not} has not"
                f"{_like(differing)}"
            )
    return classes


def _like(names: list[str]) -> str:
    """A hint at a class that differs from the first only in case or spaces; empty without one."""
    plain = names[0].strip().casefold()
    meant = [name for name in names[1:] if name.strip().casefold() == plain]
    return f", but {meant[0]!r}: name both alike" if meant else ""


def _beside(part: Path) -> Skipped:
    """Counts what lies beside the class folders of a part."""
    skipped = Skipped()
    for path in part.iterdir():
        if is_hidden(path.name):
            skipped.hidden += 1
        elif not path.is_dir():
            skipped.beside += 1
    return skipped


def _no_image(folder: Path, left: Skipped) -> str:
    return f"class folder {folder} has no image" + (f" that is read; it has {left}" if left else "")


def _validation_notice(folders: Folders, parts: dict[Part, Files]) -> list[str]:
    if "validation" not in folders:
        return []
    return [
        f"the {counted(len(parts['validation']), 'image')} of {folders['validation'].name} "
        "validate, and nothing is held out of train"
    ]


def _beside_notice(root: Path, folders: Folders) -> list[str]:
    parts = set(folders.values())
    others = sorted(
        path.name
        for path in root.iterdir()
        if path.is_dir() and path not in parts and not is_hidden(path.name)
    )
    return (
        [f"not read: {counted(len(others), 'folder')} beside {_parts_of(folders)}: {_in(others)}"]
        if others
        else []
    )


def _parts_of(folders: Folders) -> str:
    return " and ".join(folder.name for folder in folders.values())


def _name_notice(named: dict[Part, dict[str, Path]]) -> list[str]:
    odd = sorted({c for by in named.values() for c, f in by.items() if not is_utf8(f.name)})
    if not odd:
        return []
    folders = counted(len(odd), "class is", "classes are")
    return [f"{folders} named in bytes that are no UTF-8, taken for Latin-1: {some(odd)}"]


def _nested_notice(folders: Folders, parts: dict[Part, Files]) -> list[str]:
    """Notice of images in sub-folders of class folders."""
    inner: dict[str, int] = {}
    for part, files in parts.items():
        depth = len(folders[part].parts) + 2
        for path, _ in files:
            if len(path.parts) > depth:
                name = "/".join(path.parts[depth - 2 : depth])
                inner[name] = inner.get(name, 0) + 1
    if not inner:
        return []
    count = counted(sum(inner.values()), "image stands", "images stand")
    return [f"{count} in sub-folders of class folders and are read too: {_in(sorted(inner))}"]


def _in(names: Sequence[str]) -> str:
    return readable(some(names))

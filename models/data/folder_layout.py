"""Finds train, test and validation of an image folder; says how to fix any other layout."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from models.data.class_files import ending, is_hidden
from models.data.images import DataError
from models.data.names import counted, some

Part = Literal["train", "test", "validation"]
Folders = dict[Part, Path]

LAYOUT = "expected DIR/train/<class>/* and DIR/test/<class>/*"
_NAMES: dict[Part, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("validation", "valid", "val"),
}
_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".tar.gz", ".gz", ".bz2", ".xz", ".rar", ".7z"})
_TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".xls", ".parquet", ".txt"})
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})


def find_parts(root: Path) -> Folders:
    """Finds the folders of the parts `train`, `test` and, if there is one, `validation`.

    Their names may be in upper or lower case. DataError, with what to do, for another layout.
    """
    if not root.exists():
        raise DataError(f"data folder {root} does not exist: {LAYOUT}")
    if not root.is_dir():
        raise DataError(_not_a_folder(root))
    if not any(root.iterdir()):
        raise DataError(f"data folder {root} is empty: {LAYOUT}")
    parts = _parts(root)
    if "train" in parts and "test" in parts:
        return parts
    if parts:
        raise DataError(_part_missing(root, parts))
    raise DataError(f"data folder {root} {_other_form(root)}")


def class_folders(part: Part, folder: Path) -> list[Path]:
    """The folders in a part's `folder` that are not hidden, sorted; DataError without any."""
    found = sorted(_folders(folder))
    if not found:
        raise DataError(
            f"data folder {folder.parent} has no {part} part with class folders: {folder.name} has "
            f"{_flat(folder) or 'no images'}; {LAYOUT}"
        )
    return found


def _parts(root: Path) -> Folders:
    parts: Folders = {}
    for folder in sorted(_folders(root)):
        for part, names in _NAMES.items():
            if folder.name.casefold() in names:
                if part in parts:
                    raise DataError(
                        f"data folder {root} has both {parts[part].name} and {folder.name}: keep "
                        f"one of them as the {part} part"
                    )
                parts[part] = folder
    return parts


def _not_a_folder(path: Path) -> str:
    if ending(path.name) in _ARCHIVES:
        return f"{path} is an archive: unpack it, and give the folder as --data-dir ({LAYOUT})"
    return f"{path} is a file, no folder: {LAYOUT}"


def _part_missing(root: Path, parts: Folders) -> str:
    missing = "test" if "train" in parts else "train"
    line = f"data folder {root} has no {missing} part with class folders"
    archive = [p.name for p in root.iterdir() if p.is_file() and ending(p.name) in _ARCHIVES]
    if archive:
        return f"{line}: unpack {some(archive)} there ({LAYOUT})"
    if missing == "train":
        return f"{line}: {LAYOUT}"
    if "validation" in parts:
        name = parts["validation"].name
        return (
            f"{line}, only {parts['train'].name} and {name}: rename {name} to test, as what the "
            "winner is scored on once at the end (for validation a tenth of train is held out)"
        )
    return f"{line}: move some images of each class, say a fifth, to {root / 'test'}/<class>/"


def _other_form(root: Path) -> str:
    """Describes a folder without train and test parts, with advice."""
    above = _parts(root.parent) if root.parent != root else {}
    if root in above.values() and len(above) > 1:
        return f"is one part only: give the folder above, --data-dir {root.parent}"
    folders = sorted(_folders(root))
    inner = [folder for folder in folders if "train" in _parts(folder)]
    if len(inner) == 1:
        return f"has its parts one folder further down: give --data-dir {inner[0]}"
    if inner:
        names = some([folder.name for folder in inner])
        return f"has parts within its folders ({names}), not the other way round: {LAYOUT}"
    archives = sorted(p.name for p in root.iterdir() if ending(p.name) in _ARCHIVES)
    if archives:
        return f"has archives: unpack {some(archives)} there ({LAYOUT})"
    classes = [folder for folder in folders if next(_pictures(folder), None)]
    if len(classes) > 1:
        names = some([folder.name for folder in classes])
        return (
            f"has folders of images ({names}) but no train part and no test part: make them "
            "train/<class> and test/<class>, with a fifth of each class in test, say"
        )
    for folder in (root, *classes):
        if flat := _flat(folder):
            return f"has {flat}: {LAYOUT}"
    return f"has no train part with class folders: {LAYOUT}"


def _flat(folder: Path) -> str:
    """Describes images in no class folder, and a label table beside them; empty without images."""
    count = sum(1 for _ in _pictures(folder))
    if not count:
        return ""
    line = f"{counted(count, 'image')} in no class folder"
    files = [path for at in (folder, folder.parent) for path in at.iterdir() if path.is_file()]
    tables = sorted({path.name for path in files if ending(path.name) in _TABLES})
    if tables:
        return f"{line} ({some(tables)} is not read; move each image to the folder of its class)"
    return f"{line} (move each to the folder of its class)"


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not is_hidden(path.name) and path.is_dir())


def _pictures(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in folder.iterdir()
        if ending(path.name) in _PICTURES and not is_hidden(path.name)
    )

"""The rules of import that keep data flowing one way."""

import ast
import functools
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"models", "search", "analysis"}
RAY_OR_TORCH = {"ray", "torch", "torchvision"}
MOST_MODULES = 15
"""In a folder."""
MOST_LINES = 300
"""In a module."""
MAY_IMPORT = {
    "models": "",
    "models/data": "models",
    "models/training": "models models/data",
    "search/terms": "",
    "search/space": "terms",
    "search/surrogate": "terms space",
    "search/planning": "terms surrogate",
    "search/strategy": "terms space surrogate planning",
    "search/storage": "",
    "search/record": "terms space storage",
    "search/winner": "terms storage record",
    "search/cli": "terms space",
    "search/cluster": "terms storage cli",
    "search/lanes": "terms storage record cluster",
    "search/scheduling": "terms strategy record lanes",
    "search/session": "terms space strategy storage record winner cli cluster lanes scheduling",
    "search/replay": "terms space strategy record",
    "search": "record cli cluster session replay",
    "analysis/run": "search/terms search/record search/cli",
    "analysis/tables": "run search/terms search/strategy search/record search/cluster",
    "analysis/claims": "run tables search/record",
    "analysis/figures": "run tables search/terms",
    "analysis/sections": "run tables claims figures",
    "analysis": "run tables figures sections search/cli",
}
"""By folder, the folders of ours that it may import beside itself, one of the same top without it.
All rooms of search and analysis may import models. docs/architecture.md has the same table."""
WITH_RAY = {"search/cluster", "search/lanes", "search/scheduling", "search/session"}
"""The folders that may import Ray, and the one file outside of them that may."""
WRAPS_RAYS_ASHA = "search/strategy/early_stopping.py"


@functools.cache
def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def top(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def reached(modules: set[str]) -> set[str]:
    """These modules of ours and all that importing them imports, of ours or not."""
    seen: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        if module in seen:
            continue
        seen.add(module)
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        if path.exists():
            left += imports(path)
    return seen


def folder_of(path: Path) -> str:
    return path.parent.relative_to(ROOT).as_posix()


def allowed(folder: str) -> set[str]:
    """The folders of ours that a folder may import, itself among them."""
    top_name = folder.partition("/")[0]
    words = MAY_IMPORT[folder].split()
    named = {w if w.partition("/")[0] in OURS else f"{top_name}/{w}" for w in words}
    of_models = {name for name in MAY_IMPORT if name.startswith("models")}
    return named | {folder} | (of_models if top_name != "models" else set())


def imported_folders(path: Path) -> set[str]:
    """The folders of the modules of ours that a file imports."""
    found = set()
    for name in imports(path):
        module = ROOT / Path(*name.split(".")).with_suffix(".py")
        if name.partition(".")[0] in OURS and module.exists():
            found.add(folder_of(module))
    return found


MODULES = [path for package in sorted(OURS) for path in files(package)]


def test_each_folder_has_its_rule() -> None:
    assert {folder_of(path) for path in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_what_the_table_allows_and_all_of_it(folder: str) -> None:
    of_folder = [path for path in MODULES if folder_of(path) == folder]
    wrong = {path.name: imported_folders(path) - allowed(folder) for path in of_folder}
    assert not {name: found for name, found in wrong.items() if found}
    used = set().union(*map(imported_folders, of_folder))
    models = {name for name in allowed(folder) if name.startswith("models")}
    assert used >= allowed(folder) - models - {folder}


def test_each_folder_of_the_table_imports_folders_above_it() -> None:
    """So there is no circle."""
    above: set[str] = set()
    for folder in MAY_IMPORT:
        above.add(folder)
        assert allowed(folder) <= above, folder


def test_no_modules_import_one_another_in_a_circle() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    left = {name: imports(path) & set(names) for name, path in names.items()}
    while left:
        free = [name for name, needed in left.items() if not needed & set(left)]
        assert free, f"a circle among {sorted(left)}"
        left = {name: needed for name, needed in left.items() if name not in free}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_and_its_modules_have_their_limits(folder: str) -> None:
    paths = sorted((ROOT / folder).glob("*.py"))
    assert len(paths) <= MOST_MODULES
    assert not [p.name for p in paths if len(p.read_text().splitlines()) > MOST_LINES]
    assert ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text()))


@pytest.mark.parametrize("folder", [*MAY_IMPORT, "benchmarks", "tests"])
def test_a_folder_of_tests_has_its_limit(folder: str) -> None:
    at = ROOT / folder if folder in ("benchmarks", "tests") else ROOT / "tests" / folder
    assert len(list(at.glob("*.py"))) <= MOST_MODULES + 1  # with its __init__


@pytest.mark.parametrize("path", files("search"), ids=lambda p: p.name)
def test_ray_is_imported_where_it_is_used(path: Path) -> None:
    with_ray = folder_of(path) in WITH_RAY or path == ROOT / WRAPS_RAYS_ASHA
    assert with_ray or "ray" not in top(imports(path))


def test_the_page_on_architecture_has_this_table() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    rows = re.findall(r"^\| `([a-z/]+)/` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    table = {folder: may.strip().replace("nothing", "").replace(",", "") for folder, may in rows}
    assert list(table.items()) == list(MAY_IMPORT.items())


@pytest.mark.parametrize("path", files("models"), ids=lambda p: p.name)
def test_models_import_nothing_of_ours_and_no_ray(path: Path) -> None:
    assert not top(imports(path)) & {"search", "analysis", "ray", "optuna"}


@pytest.mark.parametrize("path", files("search"), ids=lambda p: p.name)
def test_search_imports_no_analysis(path: Path) -> None:
    assert "analysis" not in top(imports(path))


@pytest.mark.parametrize("path", files("analysis"), ids=lambda p: p.name)
def test_analysis_imports_no_ray_and_only_light_modules_of_search(path: Path) -> None:
    assert "ray" not in top(imports(path))
    of_search = {name for name in imports(path) if name.startswith("search.")}
    assert not top(reached(of_search)) & RAY_OR_TORCH


@pytest.mark.parametrize("module", ["search.run", "search.space.design_space", "analysis.report"])
def test_commands_start_without_ray(module: str) -> None:
    code = f"import sys, {module}; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_file_hides_a_library() -> None:
    """A script's folder comes first on sys.path: nothing in it must be named as a library is."""
    for package in ("search", "analysis"):
        beside = [path for path in (ROOT / package).iterdir() if path.suffix in (".py", "")]
        for path in beside:
            if path.stem not in ("__init__", "__pycache__"):
                assert importlib.util.find_spec(path.stem) is None, path

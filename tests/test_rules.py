"""The rules of import that keep data flowing one way."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"models", "search", "analysis"}
RAY_OR_TORCH = {"ray", "torch", "torchvision"}


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
    """A script's folder comes first on sys.path: its files must not be named as a library's."""
    for package in ("search", "analysis"):
        for path in files(package):
            assert path.stem == "__init__" or importlib.util.find_spec(path.stem) is None, path

"""What the folder promises to its reader: short files, short functions, telling names, a room for everything."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "slackmq"
MODULES = sorted(SOURCE.rglob("*.py"))
EVERY_PYTHON_FILE = sorted(
    path for folder in ("src", "tests", "scripts", "docs") for path in ROOT.joinpath(folder).rglob("*.py")
)
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef

every_module = pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(SOURCE)) for path in MODULES])


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Public functions and classes of a module, and the public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, Documented) and not node.name.startswith("_") and not is_overload(node):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node, f"{prefix}{node.name}.")


def is_overload(node: Documented) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id in {"overload", "override"} for mark in node.decorator_list)


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in EVERY_PYTHON_FILE}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


@every_module
def test_no_function_is_longer_than_40_lines(path: Path) -> None:
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, Function)]
    assert {function.name: lines for function in functions if (lines := body_lines(function)) > 40} == {}


@every_module
def test_every_module_opens_with_its_sentence(path: Path) -> None:
    assert ast.get_docstring(parsed(path))


@every_module
def test_every_public_name_says_what_one_gets(path: Path) -> None:
    assert [name for name, node in public(parsed(path)) if not ast.get_docstring(node)] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    names = {part for path in EVERY_PYTHON_FILE for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & SAYS_NOTHING == set()


def test_every_room_has_its_place_in_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    placed = {room.strip() for layer in layers["layers"] for room in layer.split("|")}
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert layers["exhaustive"] is True
    assert rooms - {"__init__", "__main__"} - placed == set()


def test_the_picture_of_the_design_shows_every_room() -> None:
    picture = (ROOT / "docs" / "explanation" / "design.md").read_text(encoding="utf-8")
    rooms = {path.name for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    unseen = {room for room in rooms - {"__init__.py", "__main__.py"} if f"`{room.removesuffix('.py')}" not in picture}
    assert unseen == set()


def test_the_readme_is_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_a_decision_is_at_most_40_lines() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert pages
    assert [page.name for page in pages if len(page.read_text(encoding="utf-8").splitlines()) > 40] == []

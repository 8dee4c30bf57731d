"""The public names."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import slackmq


def test_every_public_name_exists_and_is_the_one_that_type_checkers_see() -> None:
    tree = ast.parse(Path(slackmq.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(seen) == set(slackmq.__all__)
    for name, module in seen.items():
        assert getattr(import_module(str(module)), name) is getattr(slackmq, name)


def test_importing_the_package_loads_nothing_else() -> None:
    script = "import sys, slackmq; print(*sorted(m for m in sys.modules if m.startswith(('slackmq', 'anyio', 'aio'))))"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.split() == ["slackmq"]

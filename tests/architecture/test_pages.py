"""What the documentation promises of itself: decisions are numbered, code is run, features are there or are not."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

from slackmq.simulation.bounds import stale
from slackmq.simulation.checkers import CHECKERS
from slackmq.simulation.faults import CELLS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
FEATURES = (DOCS / "explanation" / "features.md").read_text(encoding="utf-8")
PROMISES = (DOCS / "explanation" / "promises.md").read_text(encoding="utf-8")


def test_decisions_are_numbered_without_a_gap_and_bear_their_number() -> None:
    numbers = [page.name.split("-")[0] for page in DECISIONS]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    titles = [page.read_text(encoding="utf-8").splitlines()[0] for page in DECISIONS]
    assert [title for title, number in zip(titles, numbers, strict=True) if not title.startswith(f"# {number}: ")] == []


def test_the_code_of_every_how_to_is_named_by_a_test() -> None:
    shown = [page for page in (DOCS / "how-to").glob("*.md") if "```python" in page.read_text(encoding="utf-8")]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert shown
    assert [page.name for page in shown if f'"{page.name}"' not in tests] == []


def test_every_how_to_is_in_the_list_of_them() -> None:
    listed = (DOCS / "how-to" / "index.md").read_text(encoding="utf-8").splitlines()
    assert [page.stem for page in (DOCS / "how-to").glob("*.md") if page.stem not in {"index", *listed}] == []


def test_every_row_of_the_features_has_a_cell_for_each_queue() -> None:
    rows = [line for line in FEATURES.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {9}
    assert [row for row in rows if not all(cell.strip() for cell in row.split("|")[2:-1])] == []


def test_what_pages_name_of_the_simulation_is_there() -> None:
    for page in (FEATURES, PROMISES):
        for name in set(re.findall(r"`(slackmq(?:\.\w+)+)`", page)):
            found, *rest = _loaded(name)
            assert found
            assert [part for part in rest if not hasattr(found, str(part))] == []
    for path in re.findall(r"`(tests/[\w/]+)(?:\.py)?`", PROMISES):
        assert (ROOT / f"{path}.py").exists(), path


def _loaded(name: str) -> tuple[object, ...]:
    """The longest part of a dotted name that is a module, and the names after it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            return import_module(".".join(parts[:length])), *parts[length:]
        except ModuleNotFoundError:
            continue
    raise AssertionError(name)


def test_every_checker_of_a_queue_has_its_row() -> None:
    rules = {rule for checker in CHECKERS for rule in re.findall(r"\bI\d+\b", inspect.getdoc(checker) or "")}
    judged = {line.rsplit("|", 2)[1].strip() for line in PROMISES.splitlines() if line.startswith("|")}
    assert stale in CHECKERS
    assert rules - judged == set()


def test_the_cells_that_the_promises_name_are_cells() -> None:
    named = set(re.findall(r"\((?:cell )?([A-Z]\d(?:-\w+)?)\)", PROMISES)) | {"terms", "wild", "swarm", "crowd"}
    assert named >= {"V3", "C4", "M1-notes", "S4"}
    assert named - set(CELLS) == set()

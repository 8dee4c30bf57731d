"""Data flows one way: who may import whom, lazy and type-checking imports included."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"

DOORS = {
    "slack_sdk": (
        *("slackmq.slack.web", "slackmq.slack.events"),
        *("slackmq.integrations.oauth", "slackmq.integrations.slack_sdk"),
    ),
    "aiohttp": ("slackmq.slack.web", "slackmq.slack.events", "slackmq.slack.socket", "slackmq.emulator"),
    "slack_bolt": ("slackmq.integrations.bolt",),
    "rich": ("slackmq.cli",),
    "cyclopts": ("slackmq.cli",),
    "jinja2": ("slackmq.emulator",),
    "sqlite3": ("slackmq.emulator", "slackmq.kv.cache"),
    "yaml": ("slackmq.emulator",),
    "cryptography": ("slackmq.kv.cipher",),
    "cronsim": ("slackmq.cron",),
    "prometheus_client": ("slackmq.telemetry.prometheus",),
    "opentelemetry": ("slackmq.telemetry.opentelemetry", "slackmq.telemetry.instrumentor"),
    "platformdirs": ("slackmq.emulator", "slackmq.cli"),
}
"""Third-party package -> the rooms that may import it; the list grows with a decision, not with a convenience."""

PURE = (
    *("message", "envelope", "notes", "policy", "hooks", "claiming.marks", "queue.sightings", "queue.lag"),
    *(
        "kv.entry",
        "kv.record",
        "kv.log",
        "kv.batch",
        "kv.ledger",
        "kv.skew",
        "kv.snapshot",
        "kv.watching",
        "kv.seal",
        "kv.secret",
    ),
    *("emulator.model", "emulator.workspace", "emulator.methods", "emulator.limits"),
    *("emulator.delivery", "emulator.request_url", "emulator.manifest", "emulator.faults", "emulator.lag"),
)
"""Rooms that do no I/O and know no time, those that are not built yet included."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, wherever in the file: `from a import b` counts as a.b."""
    package = module_of(path) if path.stem == "__init__" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*up, *filter(None, [node.module])])
            yield from (f"{origin}.{name.name}" for name in node.names)


ALL = {module_of(path): sorted(set(imports(path))) for path in sorted(SOURCE.rglob("*.py"))}


def within(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def test_the_import_contracts_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_emulator_imports_none_of_our_rooms() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in ALL.items()
        for name in names
        if within(module, "slackmq.emulator")
        and (within(name, "slack_sdk") or (within(name, "slackmq") and not within(name, "slackmq.emulator")))
    ]
    assert wrong == []


def test_each_third_party_package_has_its_doors() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in ALL.items()
        for name in names
        for package, doors in DOORS.items()
        if within(name, package) and not within(module, *doors)
    ]
    assert wrong == []


def test_every_pure_room_stands_in_its_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    listed = {
        name
        for contract in contracts
        if contract["name"].startswith("pure rooms")
        for name in contract["source_modules"]
    }
    assert {f"slackmq.{room}" for room in PURE} & set(ALL) - listed == set()


def test_importing_the_library_starts_nothing_and_loads_no_extra() -> None:
    look = (
        "import sys, threading\n"
        "import slackmq\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "extras = {'jinja2', 'rich', 'cyclopts', 'slack_bolt', 'sqlite3', 'cryptography'} & set(sys.modules)\n"
        "assert not extras, extras\n"
    )
    result = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

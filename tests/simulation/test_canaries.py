from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

from slackmq.simulation.scenario import replay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from slackmq.claiming.way import Way


class Canary(Protocol):
    """What `canaries.py` says of each mistake."""

    name: str
    cell: str
    rules: frozenset[str]
    way: Way

    def spoil(self, patch: pytest.MonkeyPatch, /) -> None: ...


def _beside(name: str) -> ModuleType:
    """A module beside this one: tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py is missing")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _canaries() -> Sequence[Canary]:
    known = _beside("canaries")
    pins = (
        known.Canary(name=name, cell=cell, rules=frozenset(rules.split()), spoil=spoil, way="pin")
        for name, cell, rules, spoil in _beside("pin_canaries").PIN_CANARIES
    )
    return cast("Sequence[Canary]", (*known.CANARIES, *pins))


SEEDS = 60


@pytest.mark.parametrize("canary", _canaries(), ids=lambda canary: cast("Canary", canary).name)
def test_a_mistake_is_found_within_60_seeds(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    canary.spoil(monkeypatch)
    for seed in range(SEEDS):
        rules = {violation.rule.split()[0] for violation in replay(seed, canary.cell, canary.way).violations}
        if rules & canary.rules:
            return
    pytest.fail(f"{SEEDS} seeds of cell {canary.cell} do not show that {canary.name}")

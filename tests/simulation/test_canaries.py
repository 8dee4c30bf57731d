from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

from slackmq.simulation.scenario import replay

if TYPE_CHECKING:
    from collections.abc import Sequence


class Canary(Protocol):
    """What `canaries.py` says of each mistake."""

    name: str
    cell: str
    rules: frozenset[str]

    def spoil(self, patch: pytest.MonkeyPatch, /) -> None: ...


def _canaries() -> Sequence[Canary]:
    """Those of the module beside this one: tests are no package."""
    spec = importlib.util.spec_from_file_location("canaries", Path(__file__).with_name("canaries.py"))
    if spec is None or spec.loader is None:
        raise ImportError("canaries.py is missing")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Sequence[Canary]", module.CANARIES)


SEEDS = 60


@pytest.mark.parametrize("canary", _canaries(), ids=lambda canary: cast("Canary", canary).name)
def test_a_mistake_is_found_within_60_seeds(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    canary.spoil(monkeypatch)
    for seed in range(SEEDS):
        rules = {violation.rule.split()[0] for violation in replay(seed, canary.cell).violations}
        if rules & canary.rules:
            return
    pytest.fail(f"{SEEDS} seeds of cell {canary.cell} do not show that {canary.name}")

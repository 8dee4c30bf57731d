from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

from slackmq.simulation.kv_scenario import kv_replay

if TYPE_CHECKING:
    from collections.abc import Sequence


class KvCanary(Protocol):
    """What `kv_canaries.py` says of each mistake."""

    name: str
    cell: str
    rules: frozenset[str]
    begin: int

    def spoil(self, patch: pytest.MonkeyPatch, /) -> None: ...


def _canaries() -> Sequence[KvCanary]:
    """The canaries of the module beside this one: tests are no package."""
    spec = importlib.util.spec_from_file_location("kv_canaries", Path(__file__).with_name("kv_canaries.py"))
    if spec is None or spec.loader is None:
        raise ImportError("kv_canaries.py is missing")
    module = sys.modules["kv_canaries"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Sequence[KvCanary]", module.KV_CANARIES)


SEEDS = 60


@pytest.mark.timeout(120)
@pytest.mark.parametrize("canary", _canaries(), ids=lambda canary: cast("KvCanary", canary).name)
def test_a_mistake_in_the_store_is_found_within_60_seeds(canary: KvCanary, monkeypatch: pytest.MonkeyPatch) -> None:
    canary.spoil(monkeypatch)
    for seed in range(canary.begin, SEEDS):
        rules = {broken.rule.split()[0] for broken in kv_replay(seed, canary.cell).broken}
        if rules & canary.rules:
            return
    pytest.fail(f"{SEEDS} seeds of cell {canary.cell} do not show that {canary.name}")

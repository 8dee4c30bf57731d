"""The key of a store is changed while it is used, under faults: with every process told, and with one forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from slackmq.kv.errors import RecordForeign, SecretMismatch
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
from slackmq.simulation import kv_scenario
from slackmq.simulation.kv_scenario import KvScenario

if TYPE_CHECKING:
    from slackmq.kv.store import AsyncStore
    from slackmq.simulation.process import Process

OLD, NEW = "the old key, " * 3, "the new key, " * 3
BOTH = Secret(OLD, NEW)
_store, _loud = KvScenario.store, KvScenario._loud


def rotate(patch: pytest.MonkeyPatch, *, forgotten: str = "") -> None:
    """Processes that start later sign with the new key; those of one place never hear of it."""

    def store(scenario: KvScenario, process: Process) -> AsyncStore:
        made = _store(scenario, process)
        secret = BOTH if len(process.name) == 2 else Secret(NEW, OLD)
        if process.name.startswith(forgotten or "-"):
            secret = Secret(OLD)
        made._home.opening = replace(made._home.opening, secret=secret)
        return made

    def loud(scenario: KvScenario, error: BaseException) -> bool:
        if isinstance(error, BaseExceptionGroup):
            return all(loud(scenario, each) for each in cast("BaseExceptionGroup[BaseException]", error).exceptions)
        return (bool(forgotten) and isinstance(error, SecretMismatch)) or _loud(scenario, error)

    patch.setattr(kv_scenario, "_secret", lambda _: BOTH)
    patch.setattr(KvScenario, "store", store)
    patch.setattr(KvScenario, "_loud", loud)


def broken(seed: int, cell: str) -> set[str]:
    """Rules that were broken, but for what a place that stopped had still to do."""
    found = KvScenario(seed, cell).run().broken
    return {f"{each.rule}: {each.what}" for each in found if "has still" not in each.what}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("cell", ["C1", "C3-fleet", "everything"])
def test_a_key_is_changed_while_the_store_is_used_and_no_promise_is_broken(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate(monkeypatch)
    for seed in range(2):
        verdict = KvScenario(seed, cell).run()
        assert not verdict.broken, str(verdict)


@pytest.mark.timeout(60)
def test_a_process_that_was_forgotten_stops_before_it_answers_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(monkeypatch, forgotten="w5")
    stopped = 0
    for seed in range(4):
        scenario = KvScenario(seed, "C1")
        found = [each for each in scenario.run().broken if "has still" not in each.what]
        assert not found, found
        stopped += any(isinstance(process.error, BaseException) for process in scenario.nemesis.processes)
    assert stopped


@pytest.mark.timeout(60)
def test_a_process_that_passed_over_the_new_key_would_answer_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary: were a changed key taken for a stranger's, the judges would see it."""
    rotate(monkeypatch, forgotten="w5")
    monkeypatch.setattr(Seal, "_unknown", lambda *_: RecordForeign("not known"))
    assert any({rule[:2] for rule in broken(seed, "C1")} & {"K1", "K2", "K7", "K8"} for seed in range(20))

"""A store that is started again goes on from its cache file; and never believes it more than the channel."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.opened import client, opened

from slackmq.kv.record import opened as opened_record
from slackmq.kv.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.testing.awaiting import AsyncWorkspace


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is saved at once, and not three minutes later."""
    monkeypatch.setattr("slackmq.kv.ledger.BEHIND", 0)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


async def fill(workspace: AsyncWorkspace, cache: Path | None, *keys: str, secret: Secret | None = None) -> None:
    async with opened(workspace, cache=cache, secret=secret) as store:
        for key in keys:
            await store.put(key, f"value of {key}")
        await store.get(keys[-1], fresh=True)


async def test_a_restart_reads_only_what_came_later(
    workspace: AsyncWorkspace, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[object] = []

    def counted(*args: Any, **more: Any) -> object:
        parsed.append(opened_record(*args, **more))
        return parsed[-1]

    await fill(workspace, cache, "a", "b", "c")
    await fill(workspace, None, "d")
    monkeypatch.setattr("slackmq.kv.reading.opened", counted)
    async with opened(workspace, cache=cache) as store:
        assert "a" in store._inside.follower.ledger.base
        assert await store.keys(fresh=True) == ["a", "b", "c", "d"]
        assert store.status().records == 4
        entry = await store.get("a")
        assert (entry.value, entry.author) == ("value of a", workspace.apps[0].bot_user)
    assert len({str(each) for each in parsed}) == 2  # the latest that the cache knew, and the one after it


def _harm(cache: Path, how: str) -> None:
    match how:
        case "deleted":
            cache.unlink()
        case "damaged":
            cache.write_bytes(cache.read_bytes().replace(b"value of a", b"value of z"))
        case "cut":
            cache.write_bytes(cache.read_bytes()[:6_000])
        case "foreign":
            cache.write_text("Dear all, " * 100)
        case _:
            pass


def _shown(cache: Path) -> bytes:
    return cache.read_bytes()


@pytest.mark.parametrize("harm", ["deleted", "damaged", "cut", "foreign", "taken"])
async def test_a_store_without_its_cache_loses_nothing_and_says_why(
    workspace: AsyncWorkspace, cache: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(workspace, cache, "a", "b")
    _harm(cache, harm)
    with caplog.at_level(logging.WARNING, "slackmq.kv"):
        async with opened(workspace, cache=cache) as one:
            assert (await one.get("a", fresh=True)).value == "value of a"
            if harm == "taken":
                async with opened(workspace, cache=cache) as two:
                    assert await two.keys(fresh=True) == ["a", "b"]
    warned = any("without its cache" in record.message for record in caplog.records)
    assert warned is (harm != "deleted")


async def test_a_cache_that_the_channel_does_not_bear_out_is_not_believed(
    workspace: AsyncWorkspace, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(workspace, cache, "a")
    async with client(workspace) as slack:
        channel = (await slack.channel("#state")).id
        rows = (await slack.history(channel, oldest=0.0)).rows
        first = next(row.ts for row in rows if row.metadata)
        await slack.caller.write("chat.delete", {"channel": channel, "ts": first}, urgency=2)  # type: ignore[arg-type]
    async with opened(workspace, cache=cache) as store:
        assert await store.keys(fresh=True) == []
    assert "does not show" in caplog.text


async def test_a_store_that_was_repaired_meanwhile_is_what_the_repair_made_of_it(
    workspace: AsyncWorkspace, cache: Path
) -> None:
    await fill(workspace, cache, "a", "b", "c")
    async with client(workspace) as slack:
        channel = (await slack.channel("#state")).id
        rows = [row for row in (await slack.history(channel, oldest=0.0)).rows if row.metadata]
        await slack.caller.write("chat.delete", {"channel": channel, "ts": rows[1].ts}, urgency=2)  # type: ignore[arg-type]
    async with opened(workspace, 1, repair=True) as store:
        await store.put("d", 1)
        await store.get("d", fresh=True)
    async with opened(workspace, cache=cache) as store:
        assert await store.keys(fresh=True) == ["a", "c", "d"]
        await store.put("e", 1)
    async with opened(workspace, 1) as store:
        assert await store.keys(fresh=True) == ["a", "c", "d", "e"]


async def test_the_cache_of_an_encrypted_store_shows_nothing(workspace: AsyncWorkspace, cache: Path) -> None:
    secret = Secret("key" * 12, encrypt=True)
    await fill(workspace, cache, "lamp", secret=secret)
    assert len(_shown(cache)) > 4_000
    assert not any(word in _shown(cache) for word in (b"lamp", b"value of"))
    async with opened(workspace, cache=cache, secret=secret) as store:
        assert (await store.get("lamp")).value == "value of lamp"

"""What nobody can spoil in a store: not who shares a post, and not who may write into its channel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from tests.contract.opened import client, opened

from slackmq.errors import ConfigurationError
from slackmq.kv.errors import RecordTooNew
from slackmq.kv.record import RECORD, VERSION
from slackmq.kv.seal import Seal
from slackmq.kv.snapshot import PART, SNAPSHOT, Manifest, written
from slackmq.slack.api import Metadata

if TYPE_CHECKING:
    from slackmq.testing.awaiting import AsyncWorkspace


async def test_who_writes_what_cannot_be_read_spoils_nothing_of_those_who_share_its_post(
    workspace: AsyncWorkspace,
) -> None:
    async with opened(workspace) as store:

        async def spoil() -> None:
            with pytest.raises(ConfigurationError):
                await store.update("x", 1, last=-7)
            with pytest.raises(ConfigurationError):
                await store.put("x", 1, ttl=timedelta(days=99_999_999))

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(store.put, f"k{number}", number)
            tasks.start_soon(spoil)
        assert await store.keys(fresh=True) == [f"k{number}" for number in range(5)]


async def test_a_record_that_lasts_longer_than_time_can_be_told_counts_for_nobody(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store, client(workspace, 1) as slack:
        channel = store.status().channel
        born = round(slack.now() * 1_000_000)
        body = f'["w",{born},[0,0,""],[[0,[["w","k",-1,"j",1,{10**20}]]]]]'
        payload = Seal(channel).stamp("", VERSION, body)
        await slack.post(channel, "k = 1", metadata=Metadata(type=RECORD, payload=payload))
        await store.put("a", 1)
        assert await store.keys(fresh=True) == ["a"]
        assert store.status().rejected == 1


@pytest.mark.parametrize("part", [0, 77])
async def test_a_stranger_in_the_thread_of_a_snapshot_spoils_nothing(workspace: AsyncWorkspace, part: int) -> None:
    async with opened(workspace) as store, client(workspace) as author, client(workspace, 1) as slack:
        await store.put("a", 1)
        await store.get("a", fresh=True)
        channel = store.status().channel
        await store.snapshot()
        rows = (await slack.history(channel, oldest=0.0)).rows
        thread = next(row.ts for row in rows if row.text.startswith("A snapshot"))
        spoilt = Metadata(type=PART, payload={"number": part, "part": "spoilt"})
        await slack.post(channel, "?", metadata=spoilt, thread=thread)
        nowhere = Manifest(upto=1, count=1, thread="there", parts=10**15, sha256="")
        for manifest in (nowhere, msgspec.structs.replace(nowhere, thread=thread)):
            await slack.post(
                channel, "?", metadata=Metadata(type=SNAPSHOT, payload=written(manifest, seal=Seal(channel)))
            )
        await store.get("a", fresh=True)
        record = next(row.ts for row in rows if row.metadata is not None and row.metadata.type == RECORD)
        await author.caller.write("chat.delete", {"channel": channel, "ts": record}, urgency=2)  # type: ignore[arg-type]
        async with opened(workspace) as other:
            assert await other.keys() == ["a"]


async def test_who_is_not_listed_reads_and_is_told_that_nobody_would_take_in_what_it_writes(
    workspace: AsyncWorkspace,
) -> None:
    listed = frozenset({workspace.apps[1].bot_user})
    async with opened(workspace, authors=listed) as store, opened(workspace, 1, authors=listed) as author:
        for write in (lambda: store.put("k", 1), lambda: store.create("k", 1), store.snapshot, store.lock("x").acquire):
            with pytest.raises(ConfigurationError, match="authors"):
                await write()
        await author.put("k", 2)
        assert (await store.get("k", fresh=True)).value == 2
        assert store.status().rejected == 0


async def test_a_store_that_has_failed_shows_nothing_as_if_it_had_not(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store, client(workspace) as slack:
        await store.put("k", 1)
        payload = Seal(store.status().channel).stamp("", VERSION + 1, "[]")
        await slack.post(store.status().channel, "new", metadata=Metadata(type=RECORD, payload=payload))
        with pytest.raises(RecordTooNew):
            await store.get("k", fresh=True)
        for read in (store.keys, lambda: store.get("k"), lambda: store.put("k", 2)):
            with pytest.raises(RecordTooNew):
                await read()

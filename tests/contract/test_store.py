"""What a store promises, over the embedded workspace and real connections, to two apps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.contract.opened import client, opened

from slackmq.clock import SystemClock
from slackmq.errors import ChannelNotFound, ConfigurationError, SlackMQError
from slackmq.kv.batch import Batch
from slackmq.kv.entry import Kind
from slackmq.kv.errors import (
    KeyExists,
    KeyNotFound,
    KeyRejected,
    LogBroken,
    RecordTooNew,
    RevisionMismatch,
    ValueRejected,
)
from slackmq.kv.record import RECORD, VERSION
from slackmq.kv.seal import Seal
from slackmq.kv.store import AsyncStore
from slackmq.slack.api import Metadata

if TYPE_CHECKING:
    from slackmq.testing.awaiting import AsyncWorkspace


@dataclass(frozen=True)
class Lamp:
    on: bool


async def test_what_one_app_writes_the_other_reads_with_revision_and_author(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace, 1, events=False) as two:
        revision = await one.put("lamp", Lamp(on=True))
        mine = await one.get("lamp")
        theirs = await two.get("lamp", fresh=True)
        assert theirs == mine
        assert theirs.revision == revision
        assert theirs.to(Lamp) == Lamp(on=True)
        assert theirs.author == workspace.apps[0].bot_user
        assert theirs.created == theirs.modified
        assert await two.keys() == ["lamp"]


async def test_a_store_that_is_opened_again_knows_everything(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        first = await store.put("a", 1)
        await store.put("b", b"\x00")
        await store.update("a", 2, last=first)
        await store.delete("b")
    async with opened(workspace, 1) as store:
        entry = await store.get("a", fresh=True)
        assert (entry.value, entry.first) == (2, first)
        assert await store.keys() == ["a"]
        assert [(change.key, change.kind) for change in await store.history("b")] == [
            ("b", Kind.PUT),
            ("b", Kind.DELETE),
        ]


async def test_whoever_creates_first_wins_and_the_other_is_told(workspace: AsyncWorkspace) -> None:
    won: list[str] = []
    lost: list[KeyExists] = []
    async with opened(workspace) as one, opened(workspace, 1) as two:

        async def create(store: AsyncStore, name: str) -> None:
            try:
                await store.create("leader", name)
                won.append(name)
            except KeyExists as error:
                lost.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(create, one, "one")
            tasks.start_soon(create, two, "two")
        entry = await one.get("leader", fresh=True)
        assert [entry.value] == won
        assert [(error.key, error.revision) for error in lost] == [("leader", entry.revision)]


async def test_an_update_of_another_revision_writes_nothing(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        first = await store.put("k", 1)
        second = await store.update("k", 2, last=first)
        with pytest.raises(RevisionMismatch) as caught:
            await store.update("k", 3, last=first)
        assert (caught.value.expected, caught.value.revision) == (first, second)
        with pytest.raises(RevisionMismatch):
            await store.delete("k", last=first)
        assert (await store.get("k", fresh=True)).value == 2


async def test_a_key_that_is_not_there_is_a_key_error(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        with pytest.raises(KeyNotFound, match="nothing"):
            await store.get("nothing")
        with pytest.raises(KeyError):
            await store.get("nothing", fresh=True)


async def test_a_batch_happens_together_or_not_at_all(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        revision = await store.commit(Batch().put("a", 1).create("b", 2))
        assert {(await store.get(key)).revision for key in ("a", "b")} == {revision}
        with pytest.raises(RevisionMismatch):
            await store.commit(Batch().put("a", 9).create("b", 9))
        assert (await store.get("a", fresh=True)).value == 1
        with pytest.raises(ConfigurationError, match="twice"):
            Batch().put("a", 1).delete("a")
        with pytest.raises(ConfigurationError, match="empty"):
            await store.commit(Batch())


async def test_two_apps_count_together_and_lose_nothing(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace, 1) as two:

        async def count(store: AsyncStore) -> None:
            for _ in range(4):
                await store.transact("n", lambda value: int(str(value)) + 1, default=0)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(count, one)
            tasks.start_soon(count, two)
        assert (await one.get("n", fresh=True)).value == 8


async def test_writes_that_wait_share_posts(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(store.put, f"k{number}", number)
        assert len(await store.keys("k", fresh=True)) == 100
        assert store.status().records < 20


async def test_a_key_with_a_time_to_live_runs_out_for_all(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace, 1) as two:
        await one.put("k", 1, ttl=timedelta(seconds=0.5))
        with anyio.fail_after(60):
            while "k" in await two.keys(fresh=True):
                pass
        with pytest.raises(KeyNotFound):
            await one.get("k", fresh=True)
        await two.create("k", 2)


async def test_a_watcher_misses_nothing_and_goes_on_where_it_stopped(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace, 1) as two:
        first = await one.put("a/1", 1)
        await one.put("b", 0)
        await one.delete("a/1")
        last = await one.put("a/2", 2)
        await two.get("a/2", fresh=True)
        seen: list[tuple[str, Kind]] = []
        async for change in two.watch("a/", from_revision=first):
            seen.append((change.key, change.kind))
            if len(seen) == 2:
                await one.put("a/3", 3)
            if len(seen) == 3:
                break
        assert seen == [("a/1", Kind.DELETE), ("a/2", Kind.PUT), ("a/3", Kind.PUT)]
        changes = two.watch("a/", from_revision=last)
        assert (await anext(changes)).key == "a/3"
        await changes.aclose()


async def test_a_lock_is_held_by_one_at_a_time_and_its_tokens_rise(workspace: AsyncWorkspace) -> None:
    inside, tokens = [0], list[int]()
    async with opened(workspace) as one, opened(workspace, 1) as two:

        async def work(store: AsyncStore) -> None:
            for _ in range(2):
                async with store.lock("door", ttl=timedelta(seconds=60)) as held:
                    inside[0] += 1
                    assert inside == [1]
                    tokens.append(held.token)
                    await store.commit(Batch().put("who", store.name).held(held.key, token=held.token))
                    inside[0] -= 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work, one)
            tasks.start_soon(work, two)
        assert tokens == sorted(set(tokens))
        assert len(tokens) == 4
        with pytest.raises(RevisionMismatch):
            await one.commit(Batch().put("who", "nobody").held("lock/door", token=tokens[0]))


async def test_a_lock_that_could_not_be_known_in_time_is_refused(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        with pytest.raises(ConfigurationError, match="run out"):
            store.lock("door", ttl=timedelta(seconds=0.2))


# bad input


async def test_a_value_that_is_too_large_or_no_value_is_refused_before_anything_is_sent(
    workspace: AsyncWorkspace,
) -> None:
    async with opened(workspace) as store:
        with pytest.raises(ValueRejected, match="cannot be stored"):
            await store.put("k", object())
        for key in ("", "a\nb"):
            with pytest.raises(KeyRejected):
                await store.put(key, 1)
        with pytest.raises(ConfigurationError):
            await store.put("k", 1, ttl=timedelta(0))
        assert store.status().records == 0


async def test_a_record_of_a_newer_version_stops_the_store_and_says_so(workspace: AsyncWorkspace) -> None:
    async with client(workspace) as slack:
        channel = (await slack.channel("#state")).id
        payload = Seal(channel).stamp("", VERSION + 1, "[]")
        await slack.post(channel, "new", metadata=Metadata(type=RECORD, payload=payload))
        with pytest.raises(RecordTooNew, match="Upgrade"):
            async with opened(workspace):
                pass


async def test_forged_and_damaged_records_count_for_nobody(workspace: AsyncWorkspace) -> None:
    listed = frozenset({workspace.apps[0].bot_user})
    async with (
        opened(workspace, authors=listed) as store,
        opened(workspace, 1) as stranger,
        client(workspace) as slack,
    ):
        await store.put("k", "mine")
        await stranger.put("k", "theirs")
        channel = (await slack.channel("#state")).id
        payload = {"v": VERSION, "body": "[]", "tag": "wrong"}
        await slack.post(channel, "?", metadata=Metadata(type=RECORD, payload=payload))
        assert (await store.get("k", fresh=True)).value == "mine"
        assert store.status().rejected == 2


async def test_a_deleted_record_is_missed_loudly_by_whoever_opens_the_store_later(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store, client(workspace) as slack:
        await store.put("a", 1)
        await store.get("a", fresh=True)
        await store.put("b", 2)
        await store.get("b", fresh=True)
        rows = (await slack.history(store.status().channel, oldest=0.0)).rows
        first = next(row for row in rows if row.metadata is not None)
        await slack.caller.write("chat.delete", {"channel": store.status().channel, "ts": first.ts}, urgency=2)  # type: ignore[arg-type]
        with pytest.raises(LogBroken, match="Repair"):
            async with opened(workspace, 1):
                pass


async def test_an_edit_of_what_people_read_changes_nothing(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store, client(workspace) as slack:
        await store.put("a", 1)
        channel = store.status().channel
        rows = (await slack.history(channel, oldest=0.0)).rows
        await slack.edit(channel, next(row.ts for row in rows if row.metadata is not None), "a = 2")
        async with opened(workspace, 1) as other:
            assert (await other.get("a", fresh=True)).value == 1


async def test_the_words_of_people_are_no_records(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        await workspace.post("a = 5", channel="#state")
        await store.put("b", 1)
        assert await store.keys(fresh=True) == ["b"]
        assert store.status().rejected == 0


class Skewed(SystemClock):
    """A clock that is a day ahead."""

    def monotonic(self) -> float:
        return super().monotonic() + 86_400.0


async def test_a_clock_that_is_off_by_a_day_makes_no_difference(workspace: AsyncWorkspace) -> None:
    async with opened(workspace, clock=Skewed()) as one, opened(workspace, 1) as two:
        await one.put("k", 1, ttl=timedelta(hours=1))
        assert (await two.get("k", fresh=True)).value == 1


async def test_two_stores_on_one_channel_are_one_store(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as one, opened(workspace) as two:
        await one.put("a", 1)
        await two.put("b", 2)
        assert await one.keys(fresh=True) == await two.keys(fresh=True) == ["a", "b"]


async def test_a_store_needs_its_channel_and_to_be_open(workspace: AsyncWorkspace) -> None:
    async with client(workspace) as slack:
        with pytest.raises(ChannelNotFound):
            async with AsyncStore(slack, "#nowhere"):
                pass
        with pytest.raises(ConfigurationError, match="not open"):
            await AsyncStore(slack, "#state").put("k", 1)


async def test_a_store_whose_channel_cannot_be_read_any_more_says_so(workspace: AsyncWorkspace) -> None:
    async with opened(workspace) as store:
        await store.put("k", 1)
        async with client(workspace) as slack:
            await slack.caller.write("conversations.leave", {"channel": store.status().channel}, urgency=2)  # type: ignore[arg-type]
        with pytest.raises(SlackMQError):
            await store.get("k", fresh=True)


@pytest.mark.parametrize("body", ["[]", '["w",1,[0,0,""],[[0,[["w","a",-1,"j",99]]]]]'], ids=["damaged", "replaced"])
async def test_a_record_that_was_edited_is_missed_loudly_by_whoever_opens_the_store_later(
    workspace: AsyncWorkspace, body: str
) -> None:
    """Its author's token can edit what stands in a record; the next record's writer knew it otherwise."""
    async with opened(workspace) as store, client(workspace) as slack:
        await store.put("a", 1)
        await store.get("a", fresh=True)
        await store.put("b", 2)
        await store.get("b", fresh=True)
        channel = store.status().channel
        rows = (await slack.history(channel, oldest=0.0)).rows
        first = next(row for row in rows if row.metadata is not None)
        payload = Seal(channel).stamp("", VERSION, body)
        await slack.edit(channel, first.ts, "a = 99", metadata=Metadata(type=RECORD, payload=payload))
        assert (await store.get("a", fresh=True)).value == 1
        with pytest.raises(LogBroken, match="by hand"):
            async with opened(workspace, 1):
                pass
        await store.snapshot()
        await store.get("b", fresh=True)
        async with opened(workspace, 1) as other:
            assert (await other.get("a", fresh=True)).value == 1

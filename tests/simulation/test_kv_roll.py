"""A store moves to another channel while it is used: in virtual time, so Slack's retention and months are at hand."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.kv import caching as caching_module
from slackmq.kv.errors import KeyExists, LogBroken, RevisionMismatch, StoreMoved
from slackmq.kv.record import NOTICE
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from pathlib import Path

_T = TypeVar("_T")
DAY = 86_400.0
SECRET = Secret("a key that opens nothing but what this test writes", encrypt=True)


@asynccontextmanager
async def opened(
    world: World,
    process: str,
    channel: str = "#jobs",
    *,
    secret: Secret | None = None,
    cache: Path | None = None,
    authors: frozenset[str] | None = None,
) -> AsyncGenerator[AsyncStore]:
    clock = SimClock(world.plan.dice(f"{process}/clock"))
    client = Client(SimWire(world, process, world.app_of(process)["bot_token"]), clock=clock)
    async with AsyncStore(
        client, channel, clock=clock, name=process, secret=secret, cache=cache, authors=authors
    ) as store:
        yield store


def world_of() -> World:
    return World(1, NONE, apps=2, beside=("jobs-2", "jobs-3"))


def play(main: Callable[[World], Coroutine[None, None, None]]) -> None:
    run(lambda: main(world_of()))


def shown(world: World, channel: str) -> list[str]:
    """The texts in a channel, as Slack shows them now."""
    caller = world.authorize(world.person["token"])
    ident = next(each["id"] for each in world._list("emulator.channels.list", "channels") if each["name"] == channel)
    args = {"channel": ident, "limit": 999}
    reply = world.workspace.apply(world.micros(), caller, "conversations.history", args).reply
    return [str(row["text"]) for row in reply["messages"]]


@pytest.mark.parametrize("secret", [None, SECRET], ids=["plain", "encrypted"])
def test_all_that_a_store_holds_goes_along_and_its_revisions_hold(secret: Secret | None) -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1", secret=secret) as one, opened(world, "w2", secret=secret) as two:
            first = await one.put("a", "kept")
            second = await two.put("large", "x" * 30_000)
            rolled = await one.roll("#jobs-2")
            assert rolled.keys == 2
            assert one.status().channel == rolled.channel
            assert (await two.get("a", fresh=True)).revision == first
            assert two.status().channel == rolled.channel
            assert (await two.get("large")).value == "x" * 30_000
            third = await two.update("a", "changed", last=first)
            assert third > second
            with pytest.raises(RevisionMismatch):
                await one.update("a", "late", last=first)
            assert (await one.get("a", fresh=True)).value == "changed"

    play(main)


@pytest.mark.parametrize("name", ["#jobs", "#jobs-2"])
def test_the_old_name_and_the_new_one_open_the_same_store(name: str) -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1") as one:
            first = await one.put("a", 1)
            await one.roll("#jobs-2")
        async with opened(world, "w2", name) as two:
            assert (await two.get("a")).revision == first
            await two.put("b", 2)
            await two.get("b", fresh=True)
            assert [change.key for change in await two.history("b")] == ["b"]
            assert [change.revision for change in await two.history("a")] == [first]

    play(main)


def test_a_store_is_found_by_every_name_it_had() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1") as one:
            first = await one.put("a", 1)
            await one.roll("#jobs-2")
            await one.put("b", 2)
            last = await one.roll("#jobs-3")
            assert await one.keys(fresh=True) == ["a", "b"]
        for name in ("#jobs", "#jobs-2", "#jobs-3"):
            async with opened(world, "w2", name) as two:
                assert two.status().channel == last.channel
                assert [change.revision for change in await two.history("a")] == [first]
                assert await two.keys() == ["a", "b"]

    play(main)


def test_a_watch_goes_on_without_a_gap_and_without_a_repetition() -> None:
    async def main(world: World) -> None:
        seen: list[int] = []
        again: list[int] = []
        async with opened(world, "w1") as one, opened(world, "w2") as two, anyio.create_task_group() as tasks:

            async def watch() -> None:
                async for change in two.watch():
                    seen.append(change.revision)  # noqa: PERF401  # it is looked at while it grows

            tasks.start_soon(watch)
            first = await one.put("n", 0)
            made = [first]

            async def write() -> None:
                for number in range(1, 60):
                    made.append(await one.put("n", number))
                    await anyio.sleep(3)

            async with anyio.create_task_group() as writers:
                writers.start_soon(write)
                writers.start_soon(two.roll, "#jobs-2")
            await one.get("n", fresh=True)
            await two.get("n", fresh=True)
            assert seen == made
            async for change in one.watch(from_revision=made[9]):
                again.append(change.revision)
                if change.revision == made[-1]:
                    break
            assert again == made[10:]
            tasks.cancel_scope.cancel()

    play(main)


def test_of_two_who_move_a_store_one_is_right_and_the_other_is_told() -> None:
    async def main(world: World) -> None:
        told: list[object] = []
        async with opened(world, "w1") as one, opened(world, "w2") as two:
            await one.put("a", 1)

            async def roll(store: AsyncStore, to: str) -> None:
                try:
                    told.append(await store.roll(to))
                except StoreMoved as error:
                    told.append(error)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(roll, one, "#jobs-2")
                tasks.start_soon(roll, two, "#jobs-3")
            assert sorted(type(each).__name__ for each in told) == ["Rolled", "StoreMoved"]
            assert len({each.channel for each in told}) == 1  # type: ignore[attr-defined]  # both have one
            await one.create("b", 2)
            with pytest.raises(KeyExists):
                await two.create("b", 3)
        async with opened(world, "w3", "#jobs-2") as three, opened(world, "w4", "#jobs-3") as four:
            assert three.status().channel == four.status().channel
            assert await three.keys() == await four.keys() == ["a", "b"]

    play(main)


def test_a_process_that_knew_nothing_of_it_loses_no_write_and_repeats_none() -> None:
    """One that only writes, and hears of nothing, posts into the old channel long after the store has left it."""

    async def main(world: World) -> None:
        async with opened(world, "w1") as one, opened(world, "w2") as two:
            await two.put("a", 1)
            await one.roll("#jobs-2")
            for number in range(5):
                await two.put(f"late{number}", number)
            await two.transact("count", lambda count: count + 1, default=0)  # type: ignore[operator]  # numbers
            assert await one.keys(fresh=True) == ["a", "count", *(f"late{number}" for number in range(5))]
            assert (await one.get("count")).value == 1

    play(main)


def test_a_lock_is_held_on_while_the_store_moves() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1") as one, opened(world, "w2") as two:
            async with two.lock("door", ttl=timedelta(seconds=30)) as held:
                token = held.token
                await one.roll("#jobs-2")
                head = await one.head("lock/door", fresh=True)
                assert head is not None
                assert head.first == token
            assert await one.head("lock/door", fresh=True) is None

    play(main)


def test_a_store_outlives_the_channel_that_it_left() -> None:
    async def main(world: World) -> None:
        state = world.workspace._state
        state.seed = replace(state.seed, visible_days=90)
        async with opened(world, "w1") as one:
            first = await one.put("a", "kept")
        await anyio.sleep(60 * DAY)
        async with opened(world, "w1b") as one:
            await one.roll("#jobs-2")
            await one.put("b", "new")
        for process in ("w1c", "w1d"):
            await anyio.sleep(50 * DAY)
            async with opened(world, process):
                await anyio.sleep(600)
        assert not any(text.startswith(("a = ", "the store goes on")) for text in shown(world, "jobs"))
        for name in ("#jobs", "#jobs-2"):
            async with opened(world, "w2", name) as two:
                assert (await two.get("a")).revision == first
                assert set(await two.keys()) >= {"a", "b"}
                await two.put("c", 1)
                await two.get("c", fresh=True)
                assert {change.key for change in await two.history("c")} == {"c"}
                changes = two.watch(from_revision=first)
                with pytest.raises(LogBroken):
                    await anext(changes)

    play(main)


def test_a_roll_that_was_interrupted_is_finished_by_the_next_one() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1") as one:
            await one.put("a", 1)
            for moment in (0.3, 3, 8, 60):
                with anyio.move_on_after(moment):
                    await one.roll("#jobs-2")
                    raise AssertionError("it was done before it was interrupted")
            rolled = await one.roll("#jobs-2")
            again = await one.roll("#jobs-2")
            assert again == rolled
        async with opened(world, "w2", "#jobs-2") as two:
            assert await two.keys() == ["a"]

    play(main)


def test_what_a_dead_process_began_the_living_finish() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w2") as two:
            async with opened(world, "w1") as one:
                await one.put("a", 1)
                with anyio.move_on_after(60):
                    await one.roll("#jobs-2")
            await anyio.sleep(NOTICE / 1_000_000 + 200)
            assert two.status().channel != ""
            assert any("snapshot of 1 keys is complete" in text for text in shown(world, "jobs-2"))
            assert any(text.startswith("The store of this channel goes on") for text in shown(world, "jobs"))

    play(main)


def test_a_channel_that_is_prepared_still_leads_to_the_store() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1") as one:
            await one.put("a", 1)
            with anyio.move_on_after(60):
                await one.roll("#jobs-2")
        async with opened(world, "w2", "#jobs-2") as two:
            assert await two.keys() == ["a"]

    play(main)


def test_a_channel_with_a_store_in_it_is_refused_and_nothing_is_changed() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1", "#jobs-2") as other:
            await other.put("mine", 1)
        async with opened(world, "w1") as one:
            await one.put("a", 1)
            with pytest.raises(ConfigurationError, match="a store in the channel"):
                await one.roll("#jobs-2")
            with pytest.raises(ConfigurationError, match="already"):
                await one.roll("#jobs")
            assert await one.keys(fresh=True) == ["a"]

    play(main)


def test_a_cache_file_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def aside(do: Callable[[], _T]) -> _T:
        return do()

    monkeypatch.setattr(caching_module, "aside", aside)  # no threads in virtual time
    file = tmp_path / "state.db"

    async def main(world: World) -> None:
        async with opened(world, "w1", cache=file) as one:
            await one.put("a", 1)
            await anyio.sleep(400)
            await one.roll("#jobs-2")
            await one.put("b", 2)
            await anyio.sleep(400)
        for name in ("#jobs", "#jobs-2"):
            async with opened(world, "w1b", name, cache=file) as again:
                assert again._inside.follower.ledger.base.keys() == ["a", "b"]
                assert (await again.get("b", fresh=True)).value == 2

    play(main)
    assert not [record.getMessage() for record in caplog.records if "cache" in record.getMessage()]


def test_a_bot_that_may_not_write_into_a_store_does_not_move_it() -> None:
    async def main(world: World) -> None:
        async with opened(world, "w1", authors=frozenset({"U0NOBODY"})) as one:
            with pytest.raises(ConfigurationError, match="authors"):
                await one.roll("#jobs-2")
        assert shown(world, "jobs-2") == []

    play(main)

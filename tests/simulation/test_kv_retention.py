"""A store lives longer than the messages it was written in: 90 days of Slack's free plan, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import Ambiguous
from slackmq.kv import archive as archive_module
from slackmq.kv.archive import Archive
from slackmq.kv.errors import LogBroken, RevisionMismatch
from slackmq.kv.snapshot import PART
from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.kv.log import State
    from slackmq.kv.snapshot import Manifest

DAY = 86_400.0


def store_of(
    world: World, process: str, *, repair: bool = False, retention: timedelta = timedelta(days=90)
) -> AsyncStore:
    clock = SimClock(world.plan.dice(f"{process}/clock"))
    client = Client(SimWire(world, process, world.app_of(process)["bot_token"]), clock=clock)
    return AsyncStore(client, "#jobs", clock=clock, name=process, repair=repair, retention=retention)


def posts(world: World) -> list[Mapping[str, object]]:
    caller = world.authorize(world.person["token"])
    args = {"channel": world.channel, "limit": 999}
    reply = world.workspace.apply(world.micros(), caller, "conversations.history", args).reply
    return list(reply["messages"])


def delete(world: World, ts: object) -> None:
    """A person deletes what the bot of the first app wrote."""
    caller = world.authorize(world.app["bot_token"])
    world.apply(caller, "chat.delete", {"channel": world.channel, "ts": ts}, process="you", sent=world.now)


def test_a_store_outlives_the_90_days_that_its_first_records_are_shown() -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        state = world.workspace._state
        state.seed = replace(state.seed, visible_days=90)
        async with store_of(world, "w1") as store:
            first = await store.put("a", "kept")
        await anyio.sleep(50 * DAY)
        async with store_of(world, "w1b") as store:
            assert (await store.get("a")).revision == first
            await anyio.sleep(600)
        assert any("snapshot" in str(row["text"]) for row in posts(world))
        await anyio.sleep(60 * DAY)
        assert not any(str(row["text"]).startswith("a = ") for row in posts(world))
        async with store_of(world, "w2") as store:
            entry = await store.get("a", fresh=True)
            assert (entry.value, entry.revision) == ("kept", first)
            await store.update("a", "changed", last=first)
        async with store_of(world, "w1c") as store:
            assert (await store.get("a", fresh=True)).value == "changed"

    run(main)


@pytest.mark.parametrize("days", [90, 7])
def test_a_store_in_which_nothing_is_written_outlives_its_retention_too(days: int) -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        state = world.workspace._state
        state.seed = replace(state.seed, visible_days=days)
        retention = timedelta(days=days)
        async with store_of(world, "w1", retention=retention) as store:
            first = await store.put("a", "kept")
        for number in range(8):  # somebody looks in now and then
            await anyio.sleep(0.35 * days * DAY)
            async with store_of(world, f"w1x{number}", retention=retention) as store:
                await anyio.sleep(300)
                assert (await store.get("a")).revision == first

    run(main)


def test_a_store_without_a_snapshot_says_that_its_beginning_is_gone() -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as store:
            await store.put("a", 1)
            await store.get("a", fresh=True)
            await store.put("b", 1)
            await anyio.sleep(10)
        delete(world, next(row["ts"] for row in posts(world) if row["text"] == "a = 1"))
        with pytest.raises(LogBroken):
            async with store_of(world, "w2"):
                pass

    run(main)


def test_a_store_is_repaired_from_a_process_that_still_knows_everything() -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as store:
            await store.put("a", 1)
            await store.get("a", fresh=True)
            await store.put("b", 1)
            await store.get("b", fresh=True)
            delete(world, next(row["ts"] for row in posts(world) if row["text"] == "a = 1"))
            await store.snapshot()
            await anyio.sleep(10)
            async with store_of(world, "w2") as other:
                assert await other.keys(fresh=True) == ["a", "b"]

    run(main)


def test_a_store_is_repaired_from_what_is_left() -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as store:
            await store.put("a", 1)
            await store.get("a", fresh=True)
            await store.put("b", 1)
            await store.get("b", fresh=True)
        delete(world, next(row["ts"] for row in posts(world) if row["text"] == "a = 1"))
        async with store_of(world, "w2", repair=True) as store:
            assert await store.keys() == ["b"]
            await store.create("a", 2)
        async with store_of(world, "w1b") as store:
            assert await store.keys(fresh=True) == ["a", "b"]

    run(main)


def test_a_snapshot_that_does_not_verify_is_passed_over() -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as store:
            await store.put("a", 1)
            await store.get("a", fresh=True)
            await store.snapshot()
            await store.put("b", 2)
            await store.get("b", fresh=True)
            await store.snapshot()
        caller = world.authorize(world.app["bot_token"])
        thread = next(row["ts"] for row in posts(world) if row["text"].startswith("A snapshot"))  # type: ignore[attr-defined]
        args: dict[str, object] = {"channel": world.channel, "ts": thread}
        replies = world.workspace.apply(world.micros(), caller, "conversations.replies", args).reply["messages"]
        spoilt = {"event_type": PART, "event_payload": {"number": 0, "part": "spoilt"}}
        world.apply(
            caller,
            "chat.update",
            {"channel": world.channel, "ts": replies[1]["ts"], "text": "!", "metadata": spoilt},
            process="you",
            sent=world.now,
        )
        await anyio.sleep(10)
        async with store_of(world, "w2") as store:
            assert await store.keys() == ["a", "b"]

    run(main)


def test_a_snapshot_is_posted_by_itself_after_many_records_and_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_EVERY", 20)

    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as one, store_of(world, "w2") as two:
            for number in range(25):
                await one.put(f"k{number}", number)
                await two.get(f"k{number}", fresh=True)
            await anyio.sleep(200)
            manifests = [row for row in posts(world) if "is complete" in str(row["text"])]
            assert len(manifests) == 1
            with pytest.raises(RevisionMismatch):
                await two.update("k1", 5, last=1)

    run(main)


def test_a_snapshot_that_was_not_finished_is_posted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_EVERY", 5)
    tried: list[int] = []
    original = Archive.post

    async def post(self: Archive, state: State) -> Manifest:
        tried.append(1)
        if len(tried) < 3:
            raise Ambiguous("no answer", method="chat.postMessage")
        return await original(self, state)

    monkeypatch.setattr(Archive, "post", post)

    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as store:
            for number in range(6):
                await store.put(f"k{number}", number)
            await store.get("k5", fresh=True)
            await anyio.sleep(600)
        assert len([row for row in posts(world) if "is complete" in str(row["text"])]) == 1
        assert len(tried) == 3

    run(main)

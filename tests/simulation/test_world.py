from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from slackmq.errors import Ambiguous
from slackmq.simulation.faults import CELLS, Faults, Plan, cell
from slackmq.simulation.loop import run
from slackmq.simulation.process import Process
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.visibility import Visibility
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.api import Arrived, Connected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slackmq.simulation.faults import Fate
    from slackmq.slack.api import Event
    from slackmq.slack.wire import Reply


def play(faults: Faults, story: Callable[[World], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await story(World(1, faults))

    return run(main)


async def post(world: World, text: str = "hello", **more: object) -> Reply:
    wire = SimWire(world, "w1", world.app["bot_token"])
    return await wire.call("chat.postMessage", {"channel": world.channel, "text": text, **more})


async def texts(world: World) -> list[str]:
    page = world.apply(
        world.authorize(world.app["bot_token"]),
        "conversations.history",
        {"channel": world.channel},
        process="",
        sent=world.now,
    )
    return [row["text"] for row in page["messages"]]


def test_a_call_takes_effect_and_is_answered() -> None:
    async def story(world: World) -> None:
        reply = await post(world)
        assert reply.status == 200
        assert reply.body["ok"]
        assert await texts(world) == ["hello"]

    play(Faults(), story)


@pytest.mark.parametrize(
    ("faults", "arrived"),
    [(Faults(lost_request=1.0), []), (Faults(lost_response=1.0), ["hello"]), (Faults(late_effect=1.0), ["hello"])],
)
def test_an_unanswered_call_is_ambiguous_after_ten_seconds(faults: Faults, arrived: list[str]) -> None:
    async def story(world: World) -> None:
        begun = world.now
        try:
            reply = await post(world)
            assert faults.late_effect, reply
            assert world.now - begun < 10.01
        except Ambiguous:
            assert world.now - begun == pytest.approx(10.0)
        await anyio.sleep(100)
        assert await texts(world) == arrived

    play(faults, story)


@pytest.mark.parametrize(("faults", "arrived"), [(Faults(error_before=1.0), 0), (Faults(error_after=1.0), 1)])
def test_a_5xx_may_come_before_or_after_the_effect(faults: Faults, arrived: int) -> None:
    async def story(world: World) -> None:
        reply = await post(world)
        assert reply.status >= 500
        assert len(await texts(world)) == arrived

    play(faults, story)


def test_a_limited_call_has_no_effect_and_says_when_to_come_back() -> None:
    async def story(world: World) -> None:
        reply = await post(world)
        assert reply.status == 429
        assert reply.retry_after in {1, 5, 30, 60}
        assert await texts(world) == []

    play(Faults(limited=1.0), story)


def test_faults_end() -> None:
    async def story(world: World) -> None:
        await anyio.sleep(11)
        assert (await post(world)).status == 200

    play(Faults(error_before=1.0, until=10), story)


def test_what_a_killed_process_sent_takes_effect_all_the_same() -> None:
    async def story(world: World) -> None:
        async def main() -> None:
            await post(world)

        process = Process("w1")
        process.start(main)
        await anyio.sleep(0.001)
        process.kill()
        await anyio.sleep(1)
        assert await texts(world) == ["hello"]

    play(Faults(), story)


def test_a_read_lags_by_less_than_the_lag_and_shows_posts_in_their_order() -> None:
    async def story(world: World) -> None:
        seen: list[int] = []
        for number in range(20):
            await post(world, str(number))
            shown = [int(text) for text in await texts(world)]
            assert shown == list(range(len(shown)))[::-1]
            seen.append(len(shown))
        assert seen != list(range(1, 21))
        await anyio.sleep(3)
        assert len(await texts(world)) == 20

    play(Faults(lag=3.0), story)


def test_out_of_order_a_later_post_may_be_seen_first() -> None:
    async def story(world: World) -> None:
        gaps = 0
        for number in range(30):
            await post(world, str(number))
            shown = sorted(int(text) for text in await texts(world))
            gaps += shown != list(range(len(shown)))
        assert gaps

    play(Faults(lag=3.0, reorder=True), story)


def test_a_reaction_and_a_reply_lag_too() -> None:
    plan = Plan(1, Faults(lag=3.0))
    visibility = Visibility(plan)
    mark = {"channel": "C", "timestamp": "1.0", "name": "eyes"}
    visibility.wrote("reactions.add", mark, {"ok": True}, user="U1", now=10)
    visibility.wrote("chat.postMessage", {"thread_ts": "1.0"}, {"ok": True, "ts": "2.0"}, user="U1", now=10)
    reactions = [{"name": "eyes", "users": ["U0", "U1"], "count": 2}]
    reply = {"ok": True, "messages": [{"ts": "1.0", "reactions": reactions, "reply_count": 1, "latest_reply": "2.0"}]}
    (early,) = visibility.shown(reply, now=10.0)["messages"]
    assert early["reactions"] == [{"name": "eyes", "users": ["U0"], "count": 1}]
    assert (early["reply_count"], early["latest_reply"]) == (0, None)
    assert visibility.shown(reply, now=13.1) == reply


async def heard(world: World, name: str, into: list[Event]) -> None:
    async with SimEvents(world.socket_of("w1"), name).listen() as events:
        async for event in events:
            into.append(event)  # noqa: PERF401  # they are looked at before the last one came


def listening(faults: Faults, posts: int) -> list[list[Event]]:
    async def story(world: World) -> list[list[Event]]:
        inboxes: list[list[Event]] = [[], []]
        async with anyio.create_task_group() as group:
            for number, inbox in enumerate(inboxes):
                group.start_soon(heard, world, f"w{number}", inbox)
            await anyio.lowlevel.checkpoint()
            for number in range(posts):
                await post(world, str(number))
            await anyio.sleep(60)
            group.cancel_scope.cancel()
        return inboxes

    inboxes: list[list[Event]] = play(faults, story)
    return inboxes


def test_each_event_reaches_one_of_the_connections() -> None:
    inboxes = listening(Faults(), 20)
    assert [inbox[0] for inbox in inboxes] == [Connected(connections=1), Connected(connections=2)]
    arrived = [event.row.text for inbox in inboxes for event in inbox if isinstance(event, Arrived)]
    assert sorted(arrived, key=int) == [str(number) for number in range(20)]
    assert all(len(inbox) > 1 for inbox in inboxes)


def test_lost_events_do_not_arrive() -> None:
    assert [len(inbox) for inbox in listening(Faults(events_lost=1.0), 5)] == [1, 1]


def test_an_event_whose_acknowledgement_is_lost_comes_again_with_a_mark() -> None:
    inboxes = listening(Faults(redelivered=0.5), 20)
    arrived = [event for inbox in inboxes for event in inbox if isinstance(event, Arrived)]
    assert len(arrived) > 20
    assert sum(not event.redelivered for event in arrived) == 20


def test_a_process_that_is_gone_is_sent_nothing() -> None:
    async def story(world: World) -> list[Event]:
        seen: list[Event] = []
        process = Process("w1")
        process.start(lambda: heard(world, "w1", seen))
        await anyio.sleep(1)
        process.kill()
        world.socket_of("w1").disconnect("w1")
        await post(world)
        await anyio.sleep(10)
        assert not world.socket_of("w1").wanted
        return seen

    assert play(Faults(), story) == [Connected(connections=1)]


def test_a_swarm_draws_its_own_mixture() -> None:
    drawn = {cell("swarm", seed) for seed in range(20)}
    assert len(drawn) == 20
    assert cell("swarm", 3) == cell("swarm", 3)
    assert all(faults.lag <= 3.0 for faults in drawn)


def test_every_cell_but_the_first_breaks_something() -> None:
    assert all((faults != CELLS["none"]) == (name != "none") for name, faults in CELLS.items())


def test_one_ones_calls_do_not_change_anothers_luck() -> None:
    alone, together = Plan(7, CELLS["everything"]), Plan(7, CELLS["everything"])
    fates = [alone.fate("a", 0) for _ in range(50)]
    mixed: list[Fate] = []
    for _ in range(50):
        together.fate("b", 0)
        mixed.append(together.fate("a", 0))
    assert fates == mixed

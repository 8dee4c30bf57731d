"""Handlers and people that do what they should not: each ends in a clear word, and nothing is lost."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import SlackError
from slackmq.handlers import Handlers
from slackmq.policy import Backoff
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from .conftest import House

_AT_ONCE = Backoff(first=timedelta(seconds=1))


class _Unsayable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


async def _lingers() -> None:
    await anyio.sleep(1000)


def ill(handlers: Handlers, runs: list[str]) -> None:
    """Handlers that misbehave, and one that does not."""

    @handlers.task(attempts=2, backoff=_AT_ONCE)
    async def leaves() -> None:
        runs.append("leaves")
        sys.exit("enough")

    @handlers.task(attempts=2, backoff=_AT_ONCE, timeout=timedelta(seconds=5))
    async def hangs() -> None:
        runs.append("hangs")
        await anyio.sleep_forever()

    @handlers.task(attempts=2, backoff=_AT_ONCE)
    async def raises() -> None:
        runs.append("raises")
        raise RuntimeError("out of paper")

    @handlers.task
    async def leaks() -> None:
        runs.append("leaks")
        leaked.append(asyncio.get_running_loop().create_task(_lingers()))

    @handlers.task
    async def behaves() -> None:
        runs.append("behaves")

    leaked: list[asyncio.Task[Any]] = []
    assert leaves is not hangs is not raises is not leaks is not behaves


def worse(handlers: Handlers, runs: list[str]) -> None:
    """Handlers that raise what no handler should."""

    @handlers.task(attempts=2, backoff=_AT_ONCE)
    async def groups() -> None:
        runs.append("groups")
        raise BaseExceptionGroup("several", [KeyboardInterrupt("one"), ValueError("two")])

    @handlers.task(attempts=2, backoff=_AT_ONCE)
    async def interrupts() -> None:
        runs.append("interrupts")
        raise KeyboardInterrupt

    @handlers.task(attempts=2, backoff=_AT_ONCE)
    async def cancels() -> None:
        runs.append("cancels")
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await anyio.sleep(1)

    @handlers.task(attempts=2, backoff=_AT_ONCE)
    async def mumbles() -> None:
        runs.append("mumbles")
        raise _Unsayable

    assert groups is not interrupts is not cancels is not mumbles


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("leaves", "SystemExit: enough"),
        ("hangs", "longer than"),
        ("raises", "out of paper"),
        ("groups", "BaseExceptionGroup: several"),
        ("interrupts", "KeyboardInterrupt"),
        ("cancels", "cancelled from within"),
        ("mumbles", "_Unsayable"),
    ],
)
def test_a_handler_that_misbehaves_is_dead_after_its_attempts_and_the_thread_says_why(
    house: House, kind: str, word: str
) -> None:
    async def main() -> None:
        handlers, runs = Handlers(), list[str]()
        ill(handlers, runs)
        worse(handlers, runs)
        async with house.at_work(handlers, workers=2) as queue:
            bad, good = await queue.post(kind), await queue.post("behaves")
            standings = {standing.message.ts: standing.state for standing in await house.ended(queue)}
        assert standings == {bad.ts: "dead", good.ts: "done"}
        assert runs.count(kind) == 2
        assert word in " ".join(house.thread(bad.ts))

    run(main)


def test_a_task_that_a_handler_leaks_holds_up_neither_the_job_nor_the_worker(house: House) -> None:
    async def main() -> None:
        handlers, runs = Handlers(), list[str]()
        ill(handlers, runs)
        async with house.at_work(handlers) as queue:
            await queue.post("leaks")
            await queue.post("behaves")
            standings = await house.ended(queue)
        assert {standing.state for standing in standings} == {"done"}

    run(main)


def archive(house: House) -> None:
    house.call(house.people[0], "conversations.archive", channel=house.channel())


def unarchive(house: House) -> None:
    house.call(house.people[0], "conversations.unarchive", channel=house.channel())


def revoke(house: House) -> None:
    house.refused |= dict.fromkeys(("conversations.history", "reactions.add", "chat.postMessage"), "token_revoked")


def restore(house: House) -> None:
    house.refused.clear()


@pytest.mark.parametrize(("breaks", "mends"), [(archive, unarchive), (revoke, restore)])
def test_what_a_refusal_interrupted_is_done_by_the_next_worker_once_it_is_over(
    house: House, breaks: Any, mends: Any
) -> None:
    handlers, runs = house.ran()

    async def interrupted() -> None:
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1, "seconds": 20.0})
            await house.until(lambda: runs)
            breaks(house)
            await anyio.sleep(100)

    async def afterwards() -> None:
        await anyio.sleep(500)
        mends(house)
        async with house.at_work(handlers) as queue:
            standings = await house.ended(queue)
        assert [standing.state for standing in standings] == ["done"]

    with pytest.raises(ExceptionGroup) as caught:
        run(interrupted)
    refusal = caught.value.exceptions[0]
    assert isinstance(refusal, SlackError)
    assert refusal.remedy
    run(afterwards)
    assert [n for n, _, _ in runs] == [1, 1]


def test_a_message_that_the_plan_hides_while_its_handler_runs_stops_nobody(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1, "seconds": 20.0})
            await house.until(lambda: runs)
            house.refused["reactions.add"] = "message_not_found"
            await anyio.sleep(30)
            house.refused.clear()
            await queue.post("work", {"n": 2})
            await house.until(lambda: len(runs) > 1)
            await house.until(lambda: house.marks(queue_ts(house)) >= {"white_check_mark"})
        assert [n for n, _, _ in runs] == [1, 2]

    run(main)


def queue_ts(house: House) -> str:
    rows = house.call(house.people[0], "conversations.history", channel=house.channel())["messages"]
    return str(rows[0]["ts"])


def test_a_job_whose_workers_all_stop_while_it_runs_comes_to_its_end(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        at_once = timedelta(0)
        async with house.at_work(handlers, drain=at_once) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 1000.0})
            await house.until(lambda: runs)
            house.worker.drain()
            await anyio.sleep(20)
        while "x" not in house.marks(message.ts):
            begun = len(runs)
            async with house.at_work(handlers, drain=at_once):
                await house.until(lambda: len(runs) > begun or "x" in house.marks(message.ts))  # noqa: B023  # at once
                house.worker.drain()
                await anyio.sleep(20)
        assert [attempt for _, attempt, _ in runs] == [1, 1, 1, 1, 1, 1, 2, 3]
        assert "Given up after 3 attempts" in house.thread(message.ts)[-1]

    run(main)


def test_a_job_whose_handler_cannot_be_stopped_fails_without_it_and_the_worker_goes_on(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()

        @handlers.task(attempts=2, backoff=_AT_ONCE, timeout=timedelta(seconds=5))
        async def deaf() -> None:
            runs.append((0, 1, 1))
            with anyio.CancelScope(shield=True):
                await anyio.sleep(10_000)

        assert deaf is not None
        async with house.at_work(handlers, concurrency=3) as queue:
            stuck = await queue.post("deaf")
            await queue.post("work", {"n": 1})
            standings = await house.ended(queue)
            assert {standing.state for standing in standings} == {"dead", "done"}
            assert sorted(n for n, _, _ in runs) == [0, 0, 1]
            assert "does not stop" in house.thread(stuck.ts)[-1]
            generations = len(house.marks(stuck.ts))
            await anyio.sleep(1_000)
            assert len(house.marks(stuck.ts)) == generations

    run(main)

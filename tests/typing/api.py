"""Right and wrong uses of the public face. Nothing runs this file: mypy and pyright judge it.

A wrong use carries an ignore; as unused ignores are errors, it must stay an error.
"""

from __future__ import annotations

# pyright: reportUnnecessaryTypeIgnoreComment=true
from datetime import timedelta
from typing import TYPE_CHECKING, assert_type

import slackmq
from slackmq.integrations.bolt import Guarded, exactly_one, exactly_one_async, exactly_one_middleware
from slackmq.testing import Fleet, Replica

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt import App as BoltApp
    from slack_bolt.async_app import AsyncApp

    from slackmq.testing import Replicas, Workspace

handlers = slackmq.Handlers()


@handlers.listen(r"toggle (?P<light>\w+) light")
async def toggle(light: str) -> str:
    return light


@handlers.task
def shrink(path: str, width: int = 300) -> float:
    return len(path) / width


@handlers.task
def resize(job: slackmq.Job, path: str, *, width: int) -> str:
    return f"{job.key} {path} {width}"


@handlers.task(timeout=timedelta(minutes=5), attempts=5, name="mail")
async def send_mail(job: slackmq.Job, to: str) -> int:
    return job.attempt + len(to)


@handlers.task(attempts=2)
def tidy() -> None: ...


app = slackmq.App("#homeops", claim="reaction")


@app.listen(r"(?P<n>\d+)")
@app.task
def count(n: int) -> int:
    return n


@app.middleware
async def timed(job: slackmq.Job, call_next: Callable[[], Awaitable[object]]) -> object:
    return job.handler, await call_next()


@app.middleware
def timed_plainly(job: slackmq.Job, call_next: Callable[[], object]) -> object:
    job.progress(0.5, "half")
    return call_next()


@app.task(retry_on=(TimeoutError,), give_up_on=(ValueError,), silence=timedelta(minutes=1))
async def fetch(job: slackmq.Job, url: str) -> str:
    await job.progress(0.4, url)
    return url


@app.task(rate=slackmq.Rate(count=10, per=timedelta(minutes=1)), backoff=slackmq.Backoff(), concurrency=2)
def ring(number: str) -> slackmq.Mrkdwn:
    if not number:
        raise slackmq.Reject("nobody to ring")
    if number == "busy":
        raise slackmq.Retry("busy", after=timedelta(minutes=5))
    return slackmq.Mrkdwn(f"*{number}* rang")


@app.task(rate="10/m")
def knock() -> None: ...


@app.listen(r"who is there\?", every_bot=True, where="room=attic")
@app.task(on="pi-1", where="gpu")
def who() -> str:
    return "here"


async def right_with_addresses() -> None:
    async with app.connected(worker="pi-1", labels=["room=attic"]) as queue:
        assert_type(await queue.post("who", on="pi-1"), slackmq.Message)
    assert_type(await who.on("pi-2").post(), slackmq.Message)
    assert_type(await who.on("room=attic").ask(), str)
    assert_type(slackmq.Queue("#jobs", worker="pi-1", labels={"gpu"}), slackmq.Queue)


def right_without_await() -> None:
    with slackmq.Queue("#jobs", select=handlers.select) as queue:
        message = queue.post("resize", {"path": "cat.png"}, key="cat/300", lease=timedelta(minutes=1))
        assert_type(message, slackmq.Message)
        assert_type(queue.claim(message), slackmq.Claim | None)
        for lease in queue.claims():
            with lease as claimed:
                assert_type(claimed, slackmq.Message)
                assert_type(lease.ack("done"), slackmq.Receipt)
        for letter in queue.dead_letters():
            assert_type(letter, slackmq.DeadLetter)
            assert_type(queue.redrive(letter), slackmq.Message)
        assert_type(queue.cancel(message, by="Ann"), bool)
        assert_type(queue.task(shrink).post("cat.png", width=3), slackmq.Message)
        assert_type(queue.task(resize).keyed("cat").post_later(timedelta(hours=1), "cat", width=3), slackmq.Message)
        assert_type(queue.task(shrink).ask("cat.png"), float)
        assert_type(queue.task(send_mail).ask("you@example.org"), int)
        assert_type(shrink.blocking.within(timedelta(hours=1)).ask("cat.png"), float)
        slackmq.Worker(queue, handlers, controls=slackmq.Controls(allowed=["U012AB3CD"])).run(burst=True)


def right_under_test(replicas: Replicas, slack: Workspace) -> None:
    with replicas(3, ["bot"], env=lambda app: {"URL": app.url}) as fleet, replicas(2, tidy, apps=slack.apps):
        assert_type(fleet, Fleet)
        assert_type(fleet.kill_one(holding=fleet.post("toggle")), Replica)
    assert_type(slack.run(shrink.ask, "cat.png"), float)


def wrong_under_test(replicas: Replicas, slack: Workspace) -> None:
    replicas("3", ["bot"])  # type: ignore[arg-type]
    replicas(3, 4)  # type: ignore[arg-type]
    replicas(3, ["bot"]).kill_one()  # type: ignore[attr-defined]
    slack.run(shrink.ask, 3)  # type: ignore[call-overload]


def wrong_without_await(queue: slackmq.Queue, message: slackmq.Message) -> None:
    queue.ack(message)  # type: ignore[arg-type]
    queue.post(3)  # type: ignore[arg-type]
    queue.post("resize", {}, priority="high")  # type: ignore[arg-type]
    queue.redrive(message.ts)  # type: ignore[arg-type]
    queue.task(shrink).post(3)  # type: ignore[arg-type]
    queue.task(shrink).post_later("cat.png")  # type: ignore[arg-type,call-arg]
    queue.task(print)  # type: ignore[arg-type]
    slackmq.App("#jobs", dead_letters=3)  # type: ignore[arg-type]
    slackmq.App(3)  # type: ignore[arg-type]
    slackmq.Controls(allowed=3)  # type: ignore[arg-type]
    slackmq.Rate(count=10)  # type: ignore[call-arg]
    slackmq.Retry("busy", after=5)  # type: ignore[arg-type]
    slackmq.Reject()  # type: ignore[call-arg]
    slackmq.App("#jobs", claim="majority")  # type: ignore[arg-type]


async def right(job: slackmq.Job) -> None:
    assert_type(await toggle("dining"), str)
    assert_type(await shrink.post("cat.png"), slackmq.Message)
    assert_type(await shrink.post(path="cat.png", width=3), slackmq.Message)
    assert_type(shrink("cat.png", 3), float)
    assert_type(await resize.post("cat.png", width=300), slackmq.Message)
    assert_type(await resize.ranked(3).expiring(timedelta(hours=1)).post("cat.png", width=300), slackmq.Message)
    assert_type(await resize.keyed("cat/300").post("cat.png", width=300), slackmq.Message)
    assert_type(await resize.post_later(timedelta(hours=1), "cat.png", width=300), slackmq.Message)
    assert_type(resize(job, "cat.png", width=300), str)
    assert_type(await send_mail.post(to="you@example.org"), slackmq.Message)
    assert_type(await send_mail(job, "you@example.org"), int)
    await tidy.post()
    assert_type(await shrink.ask("cat.png"), float)
    assert_type(await resize.keyed("cat/300").within(timedelta(minutes=5)).ask("cat.png", width=300), str)
    assert_type(await send_mail.ask("you@example.org"), int)
    assert_type(await count.post(3), slackmq.Message)
    async with app, slackmq.connect() as slack, slackmq.AsyncQueue(slack, "#jobs") as queue:
        async for lease in queue.claims():
            async with lease as claimed:
                assert_type(claimed, slackmq.Message)
        await app.worker(concurrency=2).run(burst=True)
    tidy()


async def wrong(job: slackmq.Job) -> None:
    await toggle(3)  # type: ignore[arg-type]
    await shrink.post()  # type: ignore[call-arg]
    await shrink.post(3)  # type: ignore[arg-type]
    await shrink.post("cat.png", 3, 4)  # type: ignore[call-arg]
    await shrink.post("cat.png", key="cat/3")  # type: ignore[call-arg]
    await shrink.keyed(3).post("cat.png")  # type: ignore[arg-type]
    await shrink.post_later("cat.png")  # type: ignore[arg-type,call-arg]
    await resize.post(job, "cat.png", width=300)  # type: ignore[arg-type,misc]
    await resize.post("cat.png", width="300")  # type: ignore[arg-type]
    await resize.post("cat.png")  # type: ignore[call-arg]
    resize("cat.png", width=300)  # type: ignore[call-arg,arg-type]
    await send_mail.post(job, "you@example.org")  # type: ignore[call-arg,arg-type]
    await tidy.post(1)  # type: ignore[call-arg]
    tidy.delay()  # type: ignore[attr-defined]
    job.token = 3  # type: ignore[misc]


@handlers.task(tries=3)  # type: ignore[call-overload,untyped-decorator]
def again() -> None: ...


@handlers.task(rate=3)  # type: ignore[call-overload,untyped-decorator]
def hasty() -> None: ...


@handlers.task(every_bot="yes")  # type: ignore[call-overload,untyped-decorator]
def chorus() -> None: ...


@handlers.listen(3)  # type: ignore[arg-type]
def three() -> None: ...


@handlers.task(retry_on=(3,))  # type: ignore[arg-type]
def thrice() -> None: ...


@app.middleware  # type: ignore[type-var]
async def lonely(job: slackmq.Job) -> None: ...


async def right_beside_bolt(bolt: BoltApp, looped: AsyncApp) -> None:
    assert_type(exactly_one(bolt, "#ops", work="#ops-work", claim="pin", within=timedelta(minutes=5)), Guarded)
    assert_type(await exactly_one_async(looped, "#ops", retries=2), Guarded)
    async with exactly_one_async(looped, "#ops") as guarded:
        assert_type(guarded, Guarded)
    bolt.use(exactly_one_middleware(bolt, "#ops"))


async def wrong_beside_bolt(bolt: BoltApp, looped: AsyncApp) -> None:
    exactly_one("#ops")  # type: ignore[arg-type]
    exactly_one(bolt, "#ops", retry=2)  # type: ignore[call-arg]
    exactly_one(looped, "#ops", claim="lock")  # type: ignore[arg-type]
    await exactly_one_async(bolt, "#ops")  # type: ignore[arg-type]

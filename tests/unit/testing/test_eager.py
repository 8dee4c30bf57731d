"""Eager mode: what a test sees of a job that is done where it is posted."""

from __future__ import annotations

import socket
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from slackmq.app import App
from slackmq.errors import (
    ArgumentsRejected,
    ConfigurationError,
    EnvelopeTooLarge,
    JobFailed,
    Reject,
    ResultUntold,
    Retry,
)
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.queue.parcels import PARCEL_LIMIT
from slackmq.testing import eager

if TYPE_CHECKING:
    from slackmq.middleware import CallNext

app = App("#jobs")
ran: list[object] = []


class Size(Enum):
    SMALL = "small"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("eager mode opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    ran.clear()


@app.middleware
async def noted(job: Job, call_next: CallNext) -> object:
    ran.append(f"around {job.handler}")
    return await call_next()


@app.task
def resize(job: Job, path: Path, size: Size) -> tuple[Path, Size, int]:
    assert isinstance(path, Path)
    assert job.remaining() > timedelta(0)
    ran.append((path, size, job.key))
    return path, size, job.attempt


@app.task(attempts=3, retry_on=(OSError,), give_up_on=(FileNotFoundError,))
async def fetch(job: Job, how: str) -> int:
    ran.append(job.attempt)
    errors = {
        "reset": ConnectionResetError("reset"),
        "gone": FileNotFoundError("gone"),
        "value": ValueError("wrong"),
        "retry": Retry("soon", after=timedelta(days=1)),
        "reject": Reject("never"),
        "exit": SystemExit("out"),
    }
    if how in errors and (job.attempt < 3 or how not in {"reset", "retry"}):
        raise errors[how]
    if how == "for ever":
        raise Retry("again")
    return job.attempt


@app.task
def outer(word: str) -> str:
    return inner.blocking.ask(word)


@app.task
async def inner(word: str) -> str:
    return word.upper()


@app.listen(r"toggle (?P<light>\w+) light", attempts=1)
async def toggle(light: str) -> str:
    if light == "broken":
        raise OSError("no such light")
    return f"{light} light toggled"


async def test_a_job_is_done_where_it_is_posted_with_its_types_its_job_and_its_middleware() -> None:
    with eager(app) as jobs:
        message = await resize.keyed("cat").post(Path("cat.png"), Size.SMALL)
        assert ran == ["around resize", (Path("cat.png"), Size.SMALL, "cat")]
        assert (message.kind, message.body, message.key) == ("resize", {"path": "cat.png", "size": "small"}, "cat")
        assert await resize.ask(Path("dog.png"), Size.SMALL) == (Path("dog.png"), Size.SMALL, 1)
        assert [each.body["path"] for each in jobs.posted] == ["cat.png", "dog.png"]
        assert len({each.ts for each in jobs.posted}) == 2


@pytest.mark.parametrize(("how", "attempts"), [("reset", [1, 2, 3]), ("retry", [1, 2, 3]), ("well", [1])])
async def test_an_attempt_that_fails_is_followed_by_the_next_without_a_wait(how: str, attempts: list[int]) -> None:
    with eager(app):
        assert await fetch.ask(how) == attempts[-1]
    assert [each for each in ran if isinstance(each, int)] == attempts


@pytest.mark.parametrize(
    ("how", "attempts", "reason", "cause"),
    [
        ("gone", 1, "FileNotFoundError: gone", FileNotFoundError),
        ("value", 1, "ValueError: wrong", ValueError),
        ("reject", 1, "never", Reject),
        ("for ever", 3, "again", Retry),
        ("exit", 1, "SystemExit: out", SystemExit),
    ],
)
async def test_a_job_that_dies_raises_where_it_was_posted(
    how: str, attempts: int, reason: str, cause: type[BaseException]
) -> None:
    with eager(app), pytest.raises(JobFailed) as caught:
        await fetch.post(how)
    assert (caught.value.reason, type(caught.value.__cause__)) == (reason, cause)
    assert len([each for each in ran if isinstance(each, int)]) == attempts


async def test_of_all_jobs_with_one_key_one_is_done_and_all_have_its_answer() -> None:
    with eager(app) as jobs:
        assert await fetch.keyed("k").ask("well") == 1
        assert await fetch.keyed("k").ask("reset") == 1
        with pytest.raises(JobFailed):
            await fetch.keyed("dead").post("value")
        with pytest.raises(JobFailed, match="wrong"):
            await fetch.keyed("dead").ask("well")
    assert [each for each in ran if isinstance(each, int)] == [1, 1]
    assert len(jobs.posted) == 4


async def test_a_job_for_later_is_done_now_and_says_for_when_it_was() -> None:
    with eager(app):
        message = await fetch.expiring(timedelta(hours=2)).post_later(timedelta(hours=1), "well")
    assert (message.delay, message.expires) == (timedelta(hours=1), message.due + 7200)
    assert ran == ["around fetch", 1]


async def test_a_handler_on_a_thread_may_ask_another_one() -> None:
    with eager(app):
        assert await outer.ask("hi") == "HI"


async def test_what_goes_by_file_in_slack_comes_here_too() -> None:
    handlers, long = Handlers(), "x" * 9_000

    @handlers.task
    def twice(text: str) -> str:
        return 2 * text

    with eager(handlers) as jobs:
        assert await twice.ask(long) == 2 * long
        assert jobs.posted[0].body == {"text": long}


async def test_the_jobs_of_a_batch_are_done_each_by_itself_and_one_that_fails_keeps_none_back() -> None:
    handlers, seen = Handlers(), list[tuple[int, str, int]]()

    @handlers.task(attempts=2)
    async def work(job: Job, n: int) -> int | None:
        seen.append((job.number, job.key, job.attempt))
        if n == 2 and job.attempt == 1:
            raise OSError("once")
        if n == 7:
            raise Reject("never")
        return n if n < 3 else None

    with eager(handlers) as jobs:
        assert await work.keyed("b").ask_batch([{"n": 1}, {"n": 2}, {"n": 3}]) == (1, 2, None)
        assert seen == [(1, "b/1", 1), (2, "b/2", 1), (2, "b/2", 2), (3, "b/3", 1)]
        with pytest.raises(JobFailed, match=r"1 of 2 jobs failed: 1 \(never\)") as caught:
            await work.post_batch([{"n": 7}, {"n": 1}])
        assert isinstance(caught.value.__cause__, Reject)
        assert [(each.batch, each.kind) for each in jobs.posted] == [(3, "work"), (2, "work")]
        assert seen[-1][::2] == (2, 1)


async def test_what_is_refused_in_slack_is_refused_here() -> None:
    handlers = Handlers()

    @handlers.task
    def leak() -> str:
        return "xoxb" + "-1234567890-AbCdEfGhIjKl"

    with eager(app):
        with pytest.raises(ArgumentsRejected):
            await fetch.post(3)  # type: ignore[arg-type]  # the mistake under test
        with pytest.raises(EnvelopeTooLarge):
            await fetch.post("x" * PARCEL_LIMIT)
    with eager(handlers), pytest.raises(ResultUntold, match="looks like a secret"):
        await leak.ask()
    with pytest.raises(ConfigurationError):
        await fetch.post("well")


async def test_an_attempt_out_of_its_time_has_failed() -> None:
    handlers = Handlers()

    @handlers.task(timeout=timedelta(milliseconds=10), attempts=2)
    async def slow() -> None:
        ran.append(1)
        await anyio.sleep_forever()

    with eager(handlers), pytest.raises(JobFailed, match="longer than"):
        await slow.post()
    assert ran == [1, 1]


async def test_two_tasks_that_ask_under_one_key_get_one_answer() -> None:
    handlers, go, answers = Handlers(), anyio.Event(), list[str]()

    @handlers.task
    async def wait() -> str:
        ran.append(1)
        await go.wait()
        return "done"

    async def ask() -> None:
        answers.append(await wait.keyed("k").ask())

    with eager(handlers) as jobs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
            while len(jobs.posted) < 2:
                await anyio.lowlevel.checkpoint()
            go.set()
    assert (ran, answers) == ([1], ["done", "done"])


async def test_a_person_is_answered_or_nobody_listens() -> None:
    with eager(app) as jobs:
        assert await jobs.say("toggle dining light") == "dining light toggled"
        assert await jobs.say("good morning") is None
        with pytest.raises(JobFailed, match="OSError: no such light"):
            await jobs.say("toggle broken light")


def test_a_test_that_does_not_await_posts_too() -> None:
    with eager(app) as jobs:
        assert jobs.task(fetch).keyed("k").ask("reset") == 3
        assert jobs.task(outer).ask("hi") == "HI"
        assert jobs.task(fetch).keyed("k").post_later(timedelta(days=1), "well").key == "k"

"""What a bound handler gets, and what becomes of its result."""

import json
import threading
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from slackmq.clock import SYSTEM
from slackmq.errors import Retry
from slackmq.handlers import Handlers
from slackmq.job import Job
from slackmq.message import Claim, Json, Message, Mrkdwn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def posted(kind: str, **body: Json) -> Message:
    return Message(channel="C1", ts="1.000001", author="U1", kind=kind, body=body, key="k")


def job() -> Job:
    claim = Claim(message=posted("any"), token=1, attempt=1, deadline=0.0)
    return Job(claim=lambda: claim, clock=SYSTEM)


async def run(function: "Callable[..., object]", **body: Json) -> str | None:
    handlers = Handlers()
    handlers.task(name="any")(function)
    return (await handlers.bind(posted("any", **body))(job())).text


async def test_an_async_function_runs_in_the_loop() -> None:
    async def where() -> str:
        await anyio.lowlevel.checkpoint()
        return threading.current_thread().name

    assert await run(where) == threading.current_thread().name


async def test_a_plain_function_runs_on_a_thread() -> None:
    assert await run(lambda: threading.current_thread().name) != threading.current_thread().name


async def test_more_plain_functions_than_anyio_has_threads_run_at_once() -> None:
    together = threading.Barrier(45)
    handlers = Handlers()
    handlers.task(name="wait")(lambda: together.wait(timeout=10))
    async with anyio.create_task_group() as group:
        for _ in range(45):
            group.start_soon(handlers.bind(posted("wait")), job())
    assert not together.broken


async def test_a_plain_function_that_wraps_an_async_one_is_awaited() -> None:
    async def inner(word: str) -> str:
        await anyio.lowlevel.checkpoint()
        return word

    @wraps(inner)
    def outer(word: str) -> "Coroutine[object, object, str]":
        return inner(word)

    assert await run(outer, word="hi") == "hi"


async def test_the_job_arrives_wherever_it_is_asked_for() -> None:
    def first(work: Job, path: str) -> str:
        return f"{work.key} {path}"

    def last(path: str, work: Job) -> str:
        return f"{work.key} {path}"

    def named(path: str, *, work: Job | None = None) -> str:
        return f"{work and work.key} {path}"

    for function in (first, last, named):
        assert await run(function, path="cat") == "k cat"


async def test_positional_only_and_default_parameters_are_filled() -> None:
    def join(first: str, second: str = "b", /, third: str = "c") -> str:
        return first + second + third

    assert await run(join, third="z", first="x") == "xbz"


async def test_what_a_handler_raises_goes_through_unchanged() -> None:
    error = Retry("not now")

    def fail() -> None:
        raise error

    with pytest.raises(Retry) as caught:
        await run(fail)
    assert caught.value is error


@pytest.mark.parametrize(("result", "answer"), [(None, None), ("", None), ("  ", None), ("*done*", "*done*")])
async def test_text_is_the_answer_and_nothing_is_none(result: str | None, answer: str | None) -> None:
    assert await run(lambda: result) == answer


async def test_other_results_are_answered_as_json_in_a_code_block() -> None:
    answer = await run(lambda: {"path": Path("cat.png"), "sizes": [1, 2]})
    assert answer is not None
    assert answer.startswith("```{\n")
    assert json.loads(answer.strip("`")) == {"path": "cat.png", "sizes": [1, 2]}


async def test_a_result_cannot_end_its_code_block() -> None:
    answer = await run(lambda: ["``` `"])
    assert answer is not None
    assert answer.count("`") == 6
    assert json.loads(answer.strip("`")) == ["``` `"]


async def test_an_answer_in_slacks_markup_stays_one() -> None:
    assert isinstance(await run(lambda: Mrkdwn("<https://example.com|log>")), Mrkdwn)


async def test_a_result_that_is_no_json_is_answered_as_python_shows_it() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert await run(lambda: circle) == "```[[...]]```"


async def test_a_cancelled_plain_function_hears_of_it_and_is_waited_for() -> None:
    started = anyio.Event()
    ended: list[str | None] = []

    def work(job: Job) -> None:
        anyio.from_thread.run_sync(started.set)
        while not job.cancelled:
            pass
        ended.append(job.reason)

    handlers = Handlers()
    handlers.task(work)
    held = job()
    async with anyio.create_task_group() as group:
        group.start_soon(handlers.bind(posted("work")), held)
        await started.wait()
        group.cancel_scope.cancel()
    assert ended == ["the attempt was cancelled, or has ended"]


async def test_an_answer_that_nobody_would_read_to_its_end_is_cut_and_says_so() -> None:
    async def speech() -> str:
        return "b" * 2_000_000

    answer = await run(speech)
    assert answer is not None
    assert len(answer) < 13_000
    assert answer.endswith("(cut: it has 2,000,000 characters)")


async def test_whatever_a_function_on_a_thread_raises_comes_through() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await run(interrupt)

"""What runs around handlers: in which order, on which thread, and what becomes of results and errors."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from slackmq.app import App
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError, Reject
from slackmq.handlers import Handlers
from slackmq.job import Job
from slackmq.message import Claim, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.middleware import CallNext, Middleware, PlainCallNext, PlainMiddleware

    Around = Middleware | PlainMiddleware


def a_job() -> Job:
    message = Message(channel="C1", ts="1.000001", author="U1", kind="work", key="k")
    return Job(claim=lambda: Claim(message=message, token=1, attempt=1, deadline=0.0), clock=SYSTEM)


async def ran(function: Callable[..., object], *around: Around, job: Job | None = None) -> str | None:
    """What a handler answers with these functions around it."""
    handlers = Handlers()
    for layer in around:
        handlers.middleware(layer)
    handlers.task(name="work")(function)
    job = job or a_job()
    return (await handlers.bind(job.message)(job)).text


def noting(name: str, seen: list[str]) -> Middleware:
    async def layer(job: Job, call_next: CallNext) -> object:
        seen.append(f"{name} before {job.handler}")
        try:
            return await call_next()
        finally:
            seen.append(f"{name} after")

    return layer


def plain_noting(name: str, seen: list[str]) -> PlainMiddleware:
    def layer(job: Job, call_next: PlainCallNext) -> object:
        assert threading.current_thread() is not threading.main_thread()
        seen.append(f"{name} before {job.handler}")
        try:
            return call_next()
        finally:
            seen.append(f"{name} after")

    return layer


def plain() -> str:
    return "plain"


async def awaiting() -> str:
    await anyio.lowlevel.checkpoint()
    return "awaiting"


@pytest.mark.parametrize("make", [noting, plain_noting])
@pytest.mark.parametrize("function", [plain, awaiting])
async def test_the_first_is_outermost_and_all_see_the_handlers_name(
    function: Callable[[], Any], make: Callable[[str, list[str]], Around]
) -> None:
    seen: list[str] = []
    layers = make("one", seen), noting("two", seen), plain_noting("three", seen)
    assert await ran(function, *layers) == function.__name__
    assert seen == [
        "one before work", "two before work", "three before work", "three after", "two after", "one after",
    ]  # fmt: skip


@pytest.mark.parametrize("make", [noting, plain_noting])
@pytest.mark.parametrize("kind", [ValueError, Reject, SystemExit])
async def test_what_the_handler_raises_comes_through_every_layer(
    make: Callable[[str, list[str]], Around], kind: type[BaseException]
) -> None:
    async def fail() -> None:
        raise kind("no")

    seen: list[str] = []
    with pytest.raises(kind, match="no"):
        await ran(fail, make("one", seen), make("two", seen))
    assert seen[-2:] == ["two after", "one after"]


async def test_a_layer_may_turn_one_error_into_another_and_a_result_into_another() -> None:
    async def strict(_: Job, call_next: CallNext) -> object:
        try:
            return f"{await call_next()}!"
        except ValueError as error:
            raise Reject("never again") from error

    async def fail() -> None:
        raise ValueError("wrong")

    assert await ran(awaiting, strict) == "awaiting!"
    with pytest.raises(Reject, match="never again"):
        await ran(fail, strict)


async def test_without_call_next_the_handler_does_not_run() -> None:
    async def closed(job: Job, call_next: CallNext) -> str:
        assert (job.handler, callable(call_next)) == ("work", True)
        return "closed today"

    def must_not() -> None:
        raise AssertionError

    assert await ran(must_not, closed) == "closed today"


async def test_a_handler_runs_once_an_attempt_whatever_is_around_it() -> None:
    async def twice(_: Job, call_next: CallNext) -> object:
        await call_next()
        return await call_next()

    with pytest.raises(RuntimeError, match=r"twice called call_next\(\) twice"):
        await ran(awaiting, twice)


async def test_an_object_that_can_be_awaited_may_be_middleware() -> None:
    class Counting:
        runs = 0

        async def __call__(self, _: Job, call_next: CallNext) -> object:
            self.runs += 1
            return await call_next()

    counting = Counting()
    assert await ran(plain, counting) == "plain"
    assert counting.runs == 1


async def test_a_cancelled_attempt_is_cancelled_inside_plain_middleware_too() -> None:
    cancelled = anyio.Event()

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    job, seen = a_job(), list[str]()
    with anyio.move_on_after(0.1) as scope:
        await ran(wait, plain_noting("one", seen), job=job)
    assert scope.cancelled_caught
    assert cancelled.is_set()
    assert job.cancelled
    assert seen[-1] == "one after"


def no_arguments() -> None: ...
def one_too_many(job: Job, call_next: CallNext, more: int) -> None: ...
def yields(job: Job, call_next: CallNext) -> Any:
    yield job, call_next


@pytest.mark.parametrize("wrong", [no_arguments, one_too_many, yields, 3])
def test_what_cannot_stand_around_a_handler_is_refused_when_decorating(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        Handlers().middleware(wrong)
    with pytest.raises(ConfigurationError):
        App("#jobs", middleware=[wrong])


async def test_an_app_has_middleware_from_both_doors_in_order() -> None:
    seen: list[str] = []
    app = App("#jobs", middleware=[noting("one", seen)])
    app.middleware(noting("two", seen))
    app.task(name="work")(plain)
    job = a_job()
    assert (await app.handlers.bind(job.message)(job)).text == "plain"
    assert seen == ["one before work", "two before work", "two after", "one after"]

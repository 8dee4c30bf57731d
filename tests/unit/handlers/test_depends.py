"""What handlers depend on: opened for each attempt, handed over, and closed when the attempt is over."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator  # noqa: TC003  # annotations are read at run time
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import anyio.lowlevel
import pytest

from slackmq.depends import Depends
from slackmq.errors import ConfigurationError, JobFailed
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # annotations are read at run time
from slackmq.testing import eager

seen: list[object] = []


class Database:
    """Something that no message could bring."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()


def open_plainly() -> Generator[Database]:
    database = Database()
    seen.append("opened")
    try:
        yield database
    except ValueError as error:
        seen.append(f"heard {error}")
        raise
    finally:
        assert threading.get_ident() == database.thread
        seen.append("closed")


async def open_awaiting() -> AsyncGenerator[Database]:
    await anyio.lowlevel.checkpoint()
    with contextmanager(open_plainly)() as database:
        yield database


async def fetch_number() -> int:
    await anyio.lowlevel.checkpoint()
    return 7


def a_word() -> str:
    return "hi"


handlers = Handlers()
DATABASE = Depends(open_plainly)


@handlers.task(attempts=2)
async def awaiting(
    job: Job,
    n: int,
    first: Annotated[Database, Depends(open_awaiting)],
    second: Annotated[Database, Depends(open_plainly)],
    *,
    number: int = Depends(fetch_number),
    word: str = Depends(a_word),
) -> str:
    assert first is not second
    seen.append(job.attempt)
    if job.attempt == 1:
        raise ValueError("once more")
    return f"{n} {number} {word}"


@handlers.task(attempts=1)
def plain(n: int, db: Database = DATABASE, word: str = Depends(a_word)) -> str:
    assert threading.get_ident() == db.thread
    if n < 0:
        raise ValueError("negative")
    return f"{n} {word}"


@handlers.listen(r"count (?P<n>\d+)")
def count(n: int, db: Annotated[Database, Depends(open_plainly)]) -> str:
    return f"{n} {type(db).__name__}"


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


async def test_each_attempt_of_an_async_handler_has_its_own_closed_after_it_in_reverse() -> None:
    with eager(handlers) as jobs:
        message = await jobs.post("awaiting", {"n": 1})
        assert (await jobs.answer(message, within=timedelta(seconds=5))).result == '"1 7 hi"'
    failed = ["heard once more", "closed", "heard once more", "closed"]
    assert seen == ["opened", "opened", 1, *failed, "opened", "opened", 2, "closed", "closed"]


async def test_a_plain_handler_has_them_on_its_own_thread_and_what_it_raises_reaches_them() -> None:
    with eager(handlers) as jobs:
        assert await plain.ask(3) == "3 hi"
        assert seen == ["opened", "closed"]
        with pytest.raises(JobFailed, match="negative"):
            await plain.post(-1)
        assert seen[2:] == ["opened", "heard negative", "closed"]
        assert await jobs.say("count 4") == "4 Database"


async def test_no_message_can_bring_them() -> None:
    assert plain.required == {"n"}
    assert not plain.takes("db")
    with eager(handlers) as jobs, pytest.raises(JobFailed, match="no such parameter"):
        await jobs.post("plain", {"n": 1, "word": "forged"})


async def test_what_cannot_be_opened_fails_the_attempt() -> None:
    def broken() -> int:
        raise ConnectionError("no database")

    strict = Handlers()

    @strict.task(attempts=2)
    async def work(db: int = Depends(broken)) -> None:
        seen.append(db)

    with eager(strict), pytest.raises(JobFailed, match="no database"):
        await work.post()
    assert seen == []


def test_a_plain_handler_cannot_need_what_must_be_awaited() -> None:
    def work(db: Annotated[Database, Depends(open_awaiting)]) -> None:
        seen.append(db)

    with pytest.raises(ConfigurationError, match=r"db must be awaited"):
        Handlers().task(work)

"""What a handler returns comes to the thread escaped, without secrets, and whole: what is too long as a file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.app import App
from slackmq.errors import ResultUntold
from slackmq.message import Mrkdwn
from slackmq.policy import Timing
from slackmq.testing import async_workspace
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.message import Message

SECRET = "xoxb-1161947729678-1470260871585-beef"
LONG = "line of a log\n" * 150_000
FAST = Timing(scan=timedelta(seconds=0.2), skew=timedelta(seconds=0.2))


def circle() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


RESULTS: Mapping[str, object] = {
    "mention": "<!channel> <!here> <@U123> & co",
    "secret": f"use {SECRET}",
    "nested": {"token": SECRET, "note": "<!channel>"},
    "marked": Mrkdwn(f"*{SECRET}*"),
    "circle": circle(),
    "bytes": b"\xff\xfe",
    "long": LONG,
    "rows": [{"n": n} for n in range(50_000)],
    "halves": "\ud83d cut in half",
}


async def answered(name: str) -> tuple[list[dict[str, Any]], str]:
    """The thread of a job that returned something, with its files, and why its result is not told."""
    app = App("#jobs", timing=FAST)

    @app.task
    async def give(name: str) -> Any:
        return RESULTS[name]

    async with (
        async_workspace() as slack,
        app.connected(slack.app.settings) as queue,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(AsyncWorker(queue, app.handlers).run)
        message: Message = await give.post(name)
        answer = await queue.answer(message, within=timedelta(seconds=60))
        thread = slack.messages("#jobs", thread=message.ts)[1:]
        tasks.cancel_scope.cancel()
        return thread, answer.why
    raise AssertionError("unreachable: nothing above swallows an exception")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("mention", "&lt;!channel&gt; &lt;!here&gt; &lt;@U123&gt; &amp; co", ""),
        ("secret", "use xoxb-…", "looks like a secret"),
        ("nested", '```{\n  "token": "xoxb-…",\n  "note": "&lt;!channel&gt;"\n}```', "looks like a secret"),
        ("marked", "*xoxb-…*", "looks like a secret"),
        ("circle", "```[[...]]```", "cannot be written as JSON"),
        ("bytes", '```"//4="```', ""),
    ],
)
async def test_an_answer_mentions_nobody_and_tells_no_secret(name: str, text: str, why: str) -> None:
    (row,), untold = await answered(name)
    assert row["text"] == text
    assert why in untold
    assert bool(why) == bool(untold)
    assert "beef" not in str(row)


async def test_half_a_character_keeps_no_job_from_its_end() -> None:
    (row,), _ = await answered("halves")
    assert "cut in half" in row["text"]


@pytest.mark.parametrize(("name", "size"), [("long", len(LONG)), ("rows", 1_000_000)])
async def test_two_megabytes_stand_in_the_thread_as_a_file_and_people_are_shown_the_beginning(
    name: str, size: int
) -> None:
    rows, why = await answered(name)
    filed, shown = sorted(rows, key=lambda row: "files" not in row)
    assert filed["files"][0]["name"] == "answer.txt"
    assert filed["files"][0]["size"] >= size
    assert "(cut: it has" in shown["text"]
    assert len(shown["text"]) < 13_000
    assert why == ""


async def test_who_asks_is_told_that_a_result_holds_a_secret_and_gets_no_other_one() -> None:
    app = App("#jobs", timing=FAST)

    @app.task
    async def login() -> str:
        return SECRET

    async with (
        async_workspace() as slack,
        app.connected(slack.app.settings) as queue,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(AsyncWorker(queue, app.handlers).run)
        with pytest.raises(ResultUntold, match="looks like a secret"):
            await login.ask()
        tasks.cancel_scope.cancel()

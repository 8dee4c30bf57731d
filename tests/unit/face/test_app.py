"""An app from connecting to answering, over a real connection."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

import slackmq
from slackmq.errors import ArgumentsRejected, ConfigurationError
from slackmq.policy import Timing

if TYPE_CHECKING:
    from .conftest import Office

FAST = Timing(scan=timedelta(seconds=0.1), skew=timedelta(seconds=0.1))


def environment(patch: pytest.MonkeyPatch, office: Office) -> None:
    patch.setenv("SLACK_BOT_TOKEN", office.settings.token or "")
    patch.setenv("SLACKMQ_URL", office.url)


def test_making_an_app_reads_no_environment_and_opens_nothing() -> None:
    app = slackmq.App(channel="#homeops")
    assert app.channel == "#homeops"


@pytest.mark.parametrize("options", [{"channel": "#"}, {"channel": "#jobs", "claim": "majority"}])
def test_an_app_that_cannot_be_meant_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        slackmq.App(**options)  # type: ignore[arg-type]  # the mistake under test


async def test_without_a_token_connecting_says_what_to_set() -> None:
    app = slackmq.App(channel="#homeops")
    with pytest.raises(ConfigurationError, match="SLACK_BOT_TOKEN"):
        async with app:
            raise AssertionError


def test_queue_and_worker_of_an_app_that_is_not_connected_say_how_to_connect() -> None:
    with pytest.raises(ConfigurationError, match="async with app"):
        slackmq.App(channel="#homeops").worker()


async def test_a_script_posts_through_its_app(monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
    environment(monkeypatch, office)
    app = slackmq.App(channel="#jobs")

    @app.task
    def resize(path: str, width: int = 300) -> str:
        return f"{path} {width}"

    async with app:
        message = await resize.keyed("cat/3").post("cat.png", width=3)
        with pytest.raises(ArgumentsRejected):
            await resize.post("cat.png", width="wide")  # type: ignore[arg-type]  # the mistake under test
        (standing,) = await app.queue.inspect()
    assert standing.message == message
    assert (message.kind, message.body, message.key) == ("resize", {"path": "cat.png", "width": 3}, "cat/3")
    with pytest.raises(ConfigurationError):
        await resize.post("cat.png")


async def test_an_app_is_connected_once_at_a_time_but_can_be_connected_again(
    monkeypatch: pytest.MonkeyPatch, office: Office
) -> None:
    environment(monkeypatch, office)
    app = slackmq.App(channel="#jobs")
    async with app:
        with pytest.raises(ConfigurationError, match="connected already"):
            await app.__aenter__()
    async with app:
        assert app.queue.channel.name == "jobs"


async def test_what_people_type_and_what_programs_post_comes_to_the_same_worker_and_is_answered(
    office: Office,
) -> None:
    app = slackmq.App(channel="#jobs", timing=FAST)
    seen: list[str] = []
    both = anyio.Event()

    def see(what: str) -> str:
        seen.append(what)
        if len(seen) == 2:
            both.set()
        return f"<{what}>"

    @app.listen(r"toggle (?P<light>\w+) light")
    async def toggle(light: str) -> str:
        return see(light)

    @app.task
    async def resize(job: slackmq.Job, path: str) -> str:
        return see(f"{path} {job.token}")

    expected: dict[str, str] = {}
    async with app.connected(office.settings, worker="w1") as queue, anyio.create_task_group() as group:
        worker = slackmq.AsyncWorker(queue, app.handlers)
        group.start_soon(worker.run)
        expected[(await resize.post("cat.png")).ts] = "&lt;cat.png 1&gt;"
        expected[await anyio.to_thread.run_sync(office.say, "#jobs", "Toggle dining light")] = "&lt;dining&gt;"
        await both.wait()
        worker.drain()
    assert sorted(seen) == ["cat.png 1", "dining"]
    assert {ts: office.replies("jobs", ts) for ts in expected} == {ts: [text] for ts, text in expected.items()}

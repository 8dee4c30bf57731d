"""Ten thousand small jobs drained by two processes, and the CPU that each costs: ours, and queues with a real broker.

Ours has neither Slack's limits nor the pacing that heeds them, and the local Slack in place of Slack: what is left is
what the code itself costs. The others need a Redis server on the path, and an interpreter that has them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import anyio

from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.slack.connect import Settings, open_events, open_slack
from slackmq.slack.web import SdkWire
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Generator

JOBS = 10_000
PROCESSES = 2
_CPU_JOBS = 1_000
_COURTESY = 2.5
"""Seconds after which nobody leaves a message to others any more that came without an event."""
_RIVALS = Path(__file__).with_name("rivals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Jobs a second, from the first worker's start to the last job's end."""

    name: str
    per_second: float


def unpaced(slack: object) -> None:
    """Take the pacing out: a budget that is waited for is another figure."""

    async def admit(*_: object) -> None:
        await anyio.lowlevel.checkpoint()

    slack.caller.pacing.admit = admit  # type: ignore[attr-defined]  # a benchmark may look inside
    slack.caller.pacing.left = lambda *_: 99.0  # type: ignore[attr-defined]  # as above


@contextmanager
def _emulator() -> Generator[Settings]:
    command = [sys.executable, "-m", "slackmq", "emulator", "--port", "0", "--json", "--limits", "off"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        app = about["apps"][0]
        yield Settings(token=app["bot_token"], app_token=app["app_token"], url=about["base_url"])
    finally:
        process.terminate()
        process.wait(10)


async def _post(settings: Settings, jobs: int) -> None:
    """Post with several calls under way at once; posting is not timed."""
    async with open_slack(settings) as slack, AsyncQueue(slack, "#jobs") as queue:
        unpaced(slack)
        turns = anyio.Semaphore(16)

        async def one() -> None:
            async with turns:
                await queue.post("job")

        async with anyio.create_task_group() as tasks:
            for _ in range(jobs):
                tasks.start_soon(one)


async def work(settings: Settings, jobs: int, counted: Path) -> None:
    """One worker process: it appends a byte for each job, and drains once all have one."""
    handlers = Handlers()
    async with open_slack(settings) as slack:
        unpaced(slack)
        queue = AsyncQueue(slack, "#jobs", events=open_events(settings), select=handlers.select)
        worker = AsyncWorker(queue, handlers, concurrency=16)
        with counted.open("ab", buffering=0) as file:

            @handlers.task
            async def job() -> None:
                file.write(b".")
                if _size(counted) >= jobs:
                    worker.drain()

            async def watch() -> None:
                while _size(counted) < jobs:  # noqa: ASYNC110  # another process writes it
                    await anyio.sleep(0.1)
                worker.drain()

            assert job is not None
            async with queue, anyio.create_task_group() as tasks:
                tasks.start_soon(watch)
                await worker.run()
                tasks.cancel_scope.cancel()


def _size(file: Path) -> int:
    return file.stat().st_size


def ours(jobs: int = JOBS) -> Drain:
    """Drain with our own workers."""
    with _emulator() as settings, tempfile.TemporaryDirectory() as folder:
        anyio.run(_post, settings, jobs)
        counted = Path(folder, "counted")
        counted.touch()
        program = "from tests.benchmarks.drain import program; program()"
        arguments = [settings.url, settings.token or "", settings.app_token or "", str(jobs), str(counted)]
        begun = time.perf_counter()
        workers = [subprocess.Popen([sys.executable, "-c", program, *arguments]) for _ in range(PROCESSES)]
        for worker in workers:
            worker.wait(540)
        return Drain(name="slackmq", per_second=jobs / (time.perf_counter() - begun))


def program() -> None:
    """The worker's process."""
    url, token, app_token, jobs, counted = sys.argv[1:]
    anyio.run(work, Settings(token=token, app_token=app_token, url=url), int(jobs), Path(counted))


def cpu() -> tuple[float, float]:
    """Seconds of CPU a job: of our worker, and of the calls that it makes, made by slack_sdk alone."""
    with _emulator() as settings, tempfile.TemporaryDirectory() as folder:
        anyio.run(_post, settings, _CPU_JOBS)
        counted = Path(folder, "counted")
        counted.touch()
        anyio.run(anyio.sleep, _COURTESY)
        begun = _used()
        anyio.run(work, settings, _CPU_JOBS, counted)
        worker = (_used() - begun) / _CPU_JOBS
    with _emulator() as settings:
        anyio.run(_post, settings, _CPU_JOBS)
        begun = _used()
        anyio.run(_bare, settings)
        return worker, (_used() - begun) / _CPU_JOBS


async def _bare(settings: Settings) -> None:
    """Two reactions on each message, as slack_sdk sends them."""
    async with open_slack(settings) as slack:
        unpaced(slack)
        page = await slack.history((await slack.channel("#jobs")).id, oldest=0.0)
    wire = SdkWire(token=settings.token, url=settings.url)
    async with aiohttp.ClientSession():
        channel, turns = "", anyio.Semaphore(16)
        async with open_slack(settings) as slack:
            channel = (await slack.channel("#jobs")).id

        async def both(ts: str) -> None:
            async with turns:
                for name in ("clock1", "white_check_mark"):
                    await wire.call("reactions.add", {"channel": channel, "timestamp": ts, "name": name})

        async with anyio.create_task_group() as tasks:
            for row in page.rows:
                tasks.start_soon(both, row.ts)
    await wire.aclose()


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rivals(python: str | None, jobs: int = JOBS) -> list[Drain]:
    """Drain with Celery and Dramatiq over Redis; empty where something of that is missing."""
    redis = shutil.which("redis-server")
    if redis is None or python is None:
        return []
    drains: list[Drain] = []
    for name in ("celery", "dramatiq"):
        with _redis(redis) as url, tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "REDIS_URL": url, "COUNTED": str(Path(folder, "counted")), "JOBS": str(jobs)}
            command = [python, str(_RIVALS / f"{name}_jobs.py")]
            took = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=540)
            drains.append(Drain(name=name, per_second=jobs / float(took.stdout.split()[-1])))
    return drains


@contextmanager
def _redis(server: str) -> Generator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)  # noqa: TID251  # a benchmark waits for a server that it did not write
        yield f"redis://127.0.0.1:{port}/0"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="an interpreter that has celery, dramatiq and redis")
    parser.add_argument("--jobs", type=int, default=JOBS)
    options = parser.parse_args()
    for drain in (ours(options.jobs), *rivals(options.python, options.jobs)):
        print(f"{drain.name}: {drain.per_second:.0f} jobs/s")  # noqa: T201  # the result
    print("CPU a job, ours and bare:", cpu())  # noqa: T201  # as above

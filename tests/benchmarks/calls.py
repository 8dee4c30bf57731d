"""Calls to the local workspace beside a bare aiohttp handler that reads the same forms and answers the same JSON.

Both are processes of their own and take turns, so that other work on the machine slows both.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from tests.benchmarks.load import Load, calls, request

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

ROUNDS = 11
CALLS = 500
"""Calls of each method in a round."""
_PAGE = 20
"""Messages of a page of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One method's calls, to the workspace and to the bare handler."""

    method: str
    ours: Load
    bare: Load

    @property
    def ratio(self) -> float:
        """Our calls a second to those of the bare handler."""
        return self.ours.per_second / self.bare.per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A server process, and the JSON of its first line."""

    pid: int
    about: dict[str, Any]


@contextmanager
def started(command: Sequence[str]) -> Generator[Started]:
    """Start a server process, and end it on leaving."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Started(pid=process.pid, about=json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(60)


def emulator(data: Path, *more: str) -> Sequence[str]:
    """The command of a workspace that keeps its data on the disk, without rate limits."""
    return ["-m", "slackmq", "emulator", "--port", "0", "--json", "--limits", "off", "--data", str(data), *more]


def measured() -> list[Pair]:
    """Posts, then reactions on what was posted, then pages of history."""
    return asyncio.run(_measured())


async def _measured() -> list[Pair]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        about = stack.enter_context(started(emulator(folder / "workspace.db"))).about
        url, token = about["base_url"], about["apps"][0]["bot_token"]
        channel = next(row["id"] for row in about["channels"] if row["name"] == "jobs")

        def made(method: str, args: Mapping[str, object]) -> bytes:
            return request(url, token, method, {"channel": channel, **args})

        posts = [made("chat.postMessage", {"text": f"job number {number}"}) for number in range(ROUNDS * CALLS)]
        answers = await _answers(url, made)
        bare = stack.enter_context(started(["-m", "tests.benchmarks.calls", json.dumps(answers)])).about
        pairs = [await _pair("chat.postMessage", about["base_url"], bare["base_url"], posts)]
        stamps = [json.loads(body)["ts"] for body in pairs[0].ours.bodies]
        marks = [made("reactions.add", {"timestamp": ts, "name": "eyes"}) for ts in stamps]
        pairs.append(await _pair("reactions.add", url, bare["base_url"], marks))
        reads = [made("conversations.history", {"limit": _PAGE})] * (ROUNDS * CALLS)
        pairs.append(await _pair("conversations.history", url, bare["base_url"], reads))
        return pairs


async def _answers(url: str, made: Any) -> dict[str, Any]:
    """What the workspace answers to each method: the bare handler answers the same."""
    post = (await calls(url, [made("chat.postMessage", {"text": "job number 0"})] * (_PAGE + 1), 1)).bodies[-1]
    mark = made("reactions.add", {"timestamp": json.loads(post)["ts"], "name": "eyes"})
    page = made("conversations.history", {"limit": _PAGE})
    return {
        "chat.postMessage": json.loads(post),
        "reactions.add": json.loads((await calls(url, [mark], 1)).bodies[0]),
        "conversations.history": json.loads((await calls(url, [page], 1)).bodies[0]),
    }


async def _pair(method: str, ours: str, bare: str, requests: Sequence[bytes]) -> Pair:
    pair = Pair(method=method, ours=Load(), bare=Load())
    for start in range(0, len(requests), CALLS):
        part = requests[start : start + CALLS]
        pair.ours.add(await calls(ours, part))
        pair.bare.add(await calls(bare, part))
    return pair


async def _serve_bare(answers: Mapping[str, object]) -> None:
    """The bare handler: routing, the form, one dict as JSON; nothing is looked at and nothing kept."""

    async def answer(asked: web.Request) -> web.Response:
        await asked.post()
        return web.json_response(answers[asked.match_info["method"]])

    app = web.Application()
    app.add_routes([web.post("/api/{method}", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(json.dumps({"base_url": f"http://127.0.0.1:{port}/api/"}), flush=True)  # noqa: T201  # whoever started it reads it
    await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_serve_bare(json.loads(sys.argv[1])))
    for one in measured():
        rates = f"{one.ours.per_second:.0f} to {one.bare.per_second:.0f} calls/s"
        tails = f"p99 {one.ours.p99 * 1e3:.1f} to {one.bare.p99 * 1e3:.1f} ms"
        print(f"{one.method}: {one.ratio:.2f} ({rates}, {tails})")  # noqa: T201  # a quick look

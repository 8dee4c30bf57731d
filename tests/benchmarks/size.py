"""A workspace of a million messages in a thousand channels: memory, a page of its history, and its restart."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.calls import emulator, started
from tests.benchmarks.load import calls, request

from slackmq.emulator.journal import Journal
from slackmq.emulator.seed import Seed, SeedChannel
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.emulator.journal import Told

MESSAGES = 1_000_000
CHANNELS = 1_000
_TOGETHER = 10_000
"""Calls that are written in one transaction."""
PAGE = 100
_READS = 2_000
_APART = 1_000_000
"""Microseconds between two messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a workspace of so many messages costs.

    Attributes:
        opening: seconds from the command to the first `ok`, the whole journal replayed.
        cpu: seconds of CPU that this took.
        mebibytes: resident memory after that.
        file: MiB of the data file.
        page: seconds of a call for a page of history of a full channel, at the median.
    """

    opening: float
    cpu: float
    mebibytes: float
    file: float
    page: float


def measured(messages: int = MESSAGES, channels: int = CHANNELS) -> Size:
    """Write a journal, open it, read pages of a full channel."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "workspace.db")
        write(data, messages, channels)
        size, begun = data.stat().st_size, time.perf_counter()
        with started(emulator(data)) as server:
            url, token = server.about["base_url"], server.about["apps"][0]["bot_token"]
            asyncio.run(calls(url, [request(url, token, "auth.test", {})], 1))
            opening, resident = time.perf_counter() - begun, _resident(server.pid)
            cpu = _cpu(server.pid)
            channel = server.about["channels"][0]["id"]
            read = request(url, token, "conversations.history", {"channel": channel, "limit": PAGE})
            page = asyncio.run(calls(url, [read] * _READS, 1)).p50
    return Size(opening=opening, cpu=cpu, mebibytes=resident, file=size / 2**20, page=page)


def write(data: Path, messages: int, channels: int) -> None:
    """Write the journal of a workspace in which an app and two people take turns, and the channels do."""
    seed = Seed(channels=tuple(SeedChannel(name=f"channel-{number}") for number in range(channels)))
    told = _told(seed, messages)
    with Journal(data, seed=seed) as journal:
        while part := list(islice(told, _TOGETHER)):
            journal.append_all(part)


def _told(seed: Seed, messages: int) -> Iterator[Told]:
    workspace = Workspace(seed)
    people, apps, places = (
        workspace.apply(0, OPERATOR, f"emulator.{kind}.list", {}).reply[kind] for kind in ("users", "apps", "channels")
    )
    tokens = [*(person["token"] for person in people), *(app["bot_token"] for app in apps)]
    callers = [caller for caller in map(workspace.authorize, tokens) if not isinstance(caller, str)]
    for number in range(messages):
        args = {"channel": places[number % len(places)]["id"], "text": f"job number {number}: toggle the dining light"}
        at = seed.created * 1_000_000 + number * _APART
        yield at, callers[number % len(callers)], "chat.postMessage", args


def _resident(pid: int) -> float:
    """MiB of a process, as Linux counts them."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(measured(*map(int, sys.argv[1:])))  # noqa: T201  # a quick look

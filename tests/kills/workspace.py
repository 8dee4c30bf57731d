"""The workspace as a process: started on a data file, killed, started again in its place, and asked what happened."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from tests.ports import unused_port

from slackmq.cli.neighbour import Neighbour

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import aiohttp

HEADER = "X-Emulator-Operator"


class LocalWorkspace:
    """`slackmq emulator` on a data file.

    Args:
        folder: where the file is.
        apps: names of the apps.
    """

    def __init__(self, folder: Path, apps: Sequence[str]) -> None:
        self._folder = folder
        self._apps = apps
        self._port = unused_port()
        self._process: asyncio.subprocess.Process | None = None
        self._neighbour: Neighbour | None = None
        self._calls: list[dict[str, Any]] = []

    @property
    def neighbour(self) -> Neighbour:
        """Where it is, and who lives there."""
        if self._neighbour is None:
            raise RuntimeError("the workspace was not started")
        return self._neighbour

    async def start(self) -> None:
        """Start it, at the port of the last time; returns when it answers."""
        names = [word for app in self._apps for word in ("--app", app)]
        words = ["--port", str(self._port), "--data", str(self._folder / "workspace.db"), "--limits", "off", *names]
        with (self._folder / "workspace.log").open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "slackmq", "emulator", "--json", *words),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=1 << 20,
            )
        assert self._process.stdout is not None
        self._neighbour = Neighbour.read(await self._process.stdout.readline())

    async def kill(self) -> None:
        """SIGKILL, between two of its writes or in the middle of one."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._process = None

    async def cut_sockets(self, session: aiohttp.ClientSession) -> None:
        """Close every Socket Mode connection without a farewell that says why."""
        async with session.post(self._door("disconnect"), headers=self._key, data={"reason": "warning"}) as answer:
            answer.raise_for_status()

    async def calls(self, session: aiohttp.ClientSession) -> Sequence[dict[str, Any]]:
        """Every write call from the first one on, and how it ended."""
        since = self._calls[-1]["seq"] if self._calls else 0
        async with session.get(self._door("record"), headers=self._key, params={"since": str(since)}) as answer:
            self._calls += (await answer.json())["calls"]
        return self._calls

    def _door(self, name: str) -> str:
        return f"{self.neighbour.page_url}emulator/{name}"

    @property
    def _key(self) -> dict[str, str]:
        return {HEADER: self.neighbour.operator_token}

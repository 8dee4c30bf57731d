"""Processes that the demo starts, and ends in every case: by their ids, and nothing else is ever touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio import CancelScope

from slackmq.cli.exits import Unreachable
from slackmq.cli.local import outside_tokens
from slackmq.cli.neighbour import Neighbour
from slackmq.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Child", "Children"]

_GRACE = 3.0
"""Seconds between asking a process to end and making it."""
_START = 20.0
_LOOK = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process of ours.

    Attributes:
        name: what it is called here.
        log: the file with what it has to say.
        out: the file with what it puts out.
    """

    name: str
    log: Path
    out: Path
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would: `kill -9`."""
        if self.running:  # an id that was reaped may be somebody else's by now
            os.kill(self.pid, signal.SIGKILL)

    def output(self) -> str:
        """What it has put out so far."""
        return self.out.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Children:
    """Starts the command itself as further processes; build it with `Children.of`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Child] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, folder: Path) -> AsyncGenerator[Children]:
        """A nursery whose logs stand in a folder; leaving it ends all that it started, however it is left."""
        children = cls(folder)
        try:
            yield children
        finally:
            with CancelScope(shield=True):
                await children._end_all()

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        module: str = "slackmq",
        program: Path | None = None,
    ) -> Child:
        """Start `slackmq` with these arguments.

        Args:
            name: what it is called here.
            arguments: no secrets: everybody on this machine can read them.
            env: variables besides this process's own, tokens for example.
            module: what to start instead of the command.
            program: a file of Python to start instead of a module.
        """
        log = self._folder / f"{name}.log"
        what = ["-m", module] if program is None else [str(program)]
        with log.open("wb") as stderr, self._out(name).open("wb") as stdout:
            process = subprocess.Popen(  # noqa: S603  # this very program, with arguments of our own
                [sys.executable, *what, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**outside_tokens(os.environ), **(env or {})},
                start_new_session=True,  # Ctrl-C is for us, and we tell them
            )
        child = Child(name=name, log=log, out=self._out(name), process=process)
        self._all.append(child)
        return child

    async def workspace(self, port: int = 0, apps: Sequence[str] = ()) -> Neighbour:
        """Start a workspace, on a free port if 0, limits on, and wait until it answers.

        Args:
            port: where.
            apps: the apps to install; the usual one if there are none.

        Raises:
            Unreachable: it does not start.
        """
        data = self._folder / "workspace.db"
        named = [word for app in apps for word in ("--app", app)]
        child = self.start("emulator", ["emulator", "--port", str(port), "--data", str(data), "--json", *named])
        with anyio.move_on_after(_START):
            while child.running:
                line, end, _ = self._out("emulator").read_bytes().partition(b"\n")
                if end:
                    return Neighbour.read(line)
                await SYSTEM.sleep(_LOOK)
        raise Unreachable(f"The workspace does not start: {child.last_words()}")

    def _out(self, name: str) -> Path:
        return self._folder / f"{name}.out"

    async def _end_all(self) -> None:
        """The workspace goes last, so that workers can still give back what they hold."""
        for few in (self._all[1:], self._all[:1]):
            for child in few:
                if child.running:
                    child.process.terminate()
            with anyio.move_on_after(_GRACE):
                while any(child.running for child in few):
                    await SYSTEM.sleep(_LOOK)
            for child in few:
                child.kill()
                child.process.wait()

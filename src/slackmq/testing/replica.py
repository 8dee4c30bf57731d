"""Replica: one process of a bot under test, with a network of its own that can fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from slackmq.errors import ConfigurationError
from slackmq.testing.calling import CALL, arguments_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from slackmq.emulator.side_doors import SideDoor
    from slackmq.testing.blocking import Workspace
    from slackmq.testing.resident import TestApp

__all__ = ["Bot", "Environment", "Replica"]

Bot: TypeAlias = "str | Sequence[str] | Callable[[], object]"
"""A command line; "module:name" of a `slackmq.App`, for `slackmq worker`; or a function of a module."""
Environment: TypeAlias = "Mapping[str, str] | Callable[[TestApp], Mapping[str, str]]"
"""Variables for a replica, or a function that says them of the app that it is: its tokens, and its own `url`."""

_LINES = 20


class Replica:
    """One process of a bot; `Fleet` starts it.

    Attributes:
        name: "replica-1" and so on.
        app: which app it is; its `url` is an address of the workspace that no other process uses.
    """

    def __init__(
        self,
        slack: Workspace,
        app: TestApp,
        *,
        name: str,
        bot: Bot,
        env: Environment,
        cwd: Path,
        log: Path,
        ready: str = "",
    ) -> None:
        self._slack = slack
        self._door: SideDoor = slack.run(slack.house.side_doors.open)
        self.name = name
        self.app = replace(app, url=f"{self._door.origin}/api/")
        self._command = _command(bot)
        self._environment = {
            **os.environ,
            **({} if _is_command(bot) else {"PYTHONPATH": os.pathsep.join([str(cwd), *filter(None, sys.path)])}),
            **self.app.environment,
            **(env(self.app) if callable(env) else env),
        }
        self._cwd = cwd
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False
        self._ready = ready
        self._begun = 0

    @property
    def port(self) -> int:
        """The port of the workspace that it alone uses."""
        return self._door.port

    @property
    def pid(self) -> int:
        """Its process id.

        Raises:
            ConfigurationError: it was never started.
        """
        return self._running.pid

    @property
    def alive(self) -> bool:
        """Whether its process has not ended; a frozen one is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has printed so far, over all its starts."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def ready(self) -> bool:
        """Whether it has printed that it listens, since it was started last."""
        return self._ready in self.log[self._begun :]

    def start(self) -> None:
        """Start it; again, if it has ended."""
        if self.alive:
            return
        self.plug()
        self._begun = len(self.log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # what the test named
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self._cwd,
            )

    def kill(self) -> None:
        """End it as a power cut would (`kill -9`), and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, *, within: float = 10.0) -> int:
        """Ask it to end, as `kill` does, and wait; returns its exit status.

        Raises:
            subprocess.TimeoutExpired: it goes on after so many seconds.
        """
        self._running.terminate()
        return self._running.wait(within)

    def freeze(self) -> None:
        """Let it stand still (SIGSTOP), as a machine that swaps or is migrated; its connections stay open.

        Raises:
            ConfigurationError: this system has no such signal.
        """
        self._signal("SIGSTOP")
        self._frozen = True

    def thaw(self) -> None:
        """Let it go on (SIGCONT): it does not know that time has passed."""
        if self._frozen:
            self._signal("SIGCONT")
        self._frozen = False

    def cut(self) -> int:
        """Break off all its connections once; it may connect again. Returns how many there were."""
        return self._slack.run(self._door.cut)

    def unplug(self) -> None:
        """Take its network away, until `plug`: it runs on and reaches nobody."""
        self._slack.run(self._door.shut)

    def plug(self) -> None:
        """Give it its network back."""
        self._slack.run(self._door.unshut)

    def close(self) -> None:
        """End it, and take its address away."""
        self.kill()
        self._slack.run(self._slack.house.side_doors.close, self._door)

    def last_words(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.strip().splitlines()[-_LINES:]) or "(it printed nothing)"

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ConfigurationError(f"{self.name} was never started.", remedy="Call its start().")
        return self._process

    def _signal(self, name: str) -> None:
        number: signal.Signals | None = getattr(signal, name, None)
        if number is None:
            raise ConfigurationError(f"This system has no {name}.", remedy="Use unplug() and plug() instead.")
        if self.alive:
            os.kill(self.pid, number)


def _is_command(bot: Bot) -> bool:
    return not callable(bot) and not isinstance(bot, str)


def _command(bot: Bot) -> list[str]:
    if callable(bot):
        return [sys.executable, "-c", CALL, *arguments_for(bot)]
    if isinstance(bot, str):
        if ":" not in bot:
            raise ConfigurationError(
                f"{bot!r} names no app.", remedy='Write "home:app", or a command line: [sys.executable, "bot.py"].'
            )
        return [sys.executable, "-m", "slackmq", "worker", bot]
    return [str(word) for word in bot]

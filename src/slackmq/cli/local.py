"""The Slack of this machine: found if it runs, started if not, its data kept in the user's own folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import anyio
import msgspec
import platformdirs

from slackmq.cli.exits import Unreachable
from slackmq.cli.neighbour import Neighbour
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PORT", "Home", "find_or_start", "outside_tokens"]

PORT = 7522
"""Where the local workspace answers unless told otherwise."""
_START = 15.0
"""Seconds that a workspace may take to start on a busy machine."""
_LAST_LOOKS = 2.0
"""Seconds in which one that was started elsewhere at the same moment must show, once ours has ended."""
_LOOK = 0.05
"""Seconds between two looks."""
_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folder of the local workspace: nobody but its owner may read it, for the tokens are in it."""

    path: Path

    @classmethod
    def of_user(cls) -> Home:
        """The user's own, made if it is missing."""
        path = Path(platformdirs.user_data_dir("slackmq", appauthor=False))
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
        except OSError as error:
            raise ConfigurationError(
                f"The folder for the local workspace cannot be made: {error}.",
                remedy="Make it writable, or set XDG_DATA_HOME to a folder that is.",
            ) from error
        return cls(path=path)

    @property
    def data(self) -> Path:
        """The workspace itself."""
        return self.path / "workspace.db"

    @property
    def log(self) -> Path:
        """What the workspace had to say."""
        return self.path / "local.log"

    @property
    def address(self) -> Path:
        """Where it runs, and its tokens."""
        return self.path / "local.json"

    def known(self) -> Neighbour | None:
        """The workspace that was started last, running or not; None if none ever was."""
        try:
            return Neighbour.read(self.address.read_bytes())
        except (FileNotFoundError, ConfigurationError):
            return None

    def note(self, neighbour: Neighbour) -> None:
        """Write down where it runs."""
        fresh = self.path / f"local-{os.getpid()}.json"
        with _private(fresh, os.O_TRUNC) as file:
            file.write(msgspec.json.encode(neighbour))
        fresh.replace(self.address)

    def forget(self, neighbour: Neighbour) -> None:
        """It runs no more; where another one runs meanwhile stays written down."""
        if self.known() == neighbour:
            self.address.unlink(missing_ok=True)


async def find_or_start(home: Home, port: int = PORT) -> Neighbour:
    """The local workspace, started if it does not run: as a process of its own that outlives this one.

    Two commands may do this at once: one of them gets the port, and both find its workspace.

    Raises:
        Unreachable: it does not start; something else may have its port.
        ConfigurationError: it runs, and at another port than the one that was asked for.
    """
    if found := await _running(home):
        return _at(found, port)
    child = _start(home, port)
    with anyio.move_on_after(_START) as scope:
        while True:
            if found := await _running(home):
                return found
            if child.poll() is not None:  # another one was quicker and is about to show, or it cannot start at all
                scope.deadline = min(scope.deadline, anyio.current_time() + _LAST_LOOKS)
            await SYSTEM.sleep(_LOOK)
    if child.poll() is None:
        child.terminate()
    raise Unreachable(
        f"The local workspace does not start: {_last_line(home.log)}",
        remedy=f"Its log is {home.log}; another port: --local-port or SLACKMQ_LOCAL_PORT.",
    )


def _at(found: Neighbour, port: int) -> Neighbour:
    """The one that runs, unless another port was asked for by name: there is one for each user of the machine."""
    actual = urlsplit(found.base_url).port
    if port not in {PORT, actual}:
        raise ConfigurationError(
            f"The local workspace runs already, at port {actual} and not {port}.",
            remedy="Leave the port out to use it, or start another one: slackmq emulator --port, and --url.",
        )
    return found


async def _running(home: Home) -> Neighbour | None:
    known = home.known()
    return known if known and await known.alive() else None


def _start(home: Home, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "slackmq", "emulator", "--port", str(port), "--data", str(home.data)]
    with _private(home.log, os.O_APPEND) as log:
        return subprocess.Popen(  # noqa: S603  # this very program, with arguments of our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # it would print tokens
            stderr=log.fileno(),
            env=outside_tokens(os.environ),
            start_new_session=True,
            cwd=home.path,
        )


def outside_tokens(env: Mapping[str, str]) -> dict[str, str]:
    """An environment without Slack's tokens and without our own settings: a child gets what it needs explicitly."""
    return {name: value for name, value in env.items() if name not in _SECRETS and not name.startswith("SLACKMQ_")}


def _private(path: Path, how: int) -> BinaryIO:
    """Open a file for writing that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb")


def _last_line(path: Path) -> str:
    """The last complaint in a log, without its remedy, which is meant for whoever starts a workspace by hand."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    complaints = [line.removeprefix("slackmq: ") for line in lines if line.startswith("slackmq: ")]
    return [*lines, *complaints][-1] if lines else "it says nothing."

"""What `slackmq doctor` looks at beyond what a worker needs: sockets, clocks, the plan, files that others can read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import platformdirs

from slackmq.cli.check import Finding, look
from slackmq.cli.surface_checks import home_tab, user_groups
from slackmq.cli.target import wall_clock
from slackmq.errors import Ambiguous, Refused, SlackMQError
from slackmq.slack.api import Urgency
from slackmq.slack.connect import open_slack
from slackmq.slack.socket import open_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from slackmq.cli.where import Where
    from slackmq.slack.client import Client
    from slackmq.slack.connect import Settings

    Findings = Sequence[Finding]

__all__ = ["Findings", "checks", "clock", "connections", "exposed", "plan"]

_OFF = 60.0
"""Seconds by which a clock may be off before that is worth a word: claims never use it, logs and people do."""
_SOCKETS = 10
"""Open connections of one app: docs.slack.dev/apis/events-api/using-socket-mode."""
_UNLISTED = 15
"""Messages a call of an app distributed outside the Marketplace: docs.slack.dev/apis/web-api/rate-limits."""
_HELLO = 10.0
_TOKEN = re.compile(rb"\bx(?:ox[a-z]|app)-\w")


async def checks(channel: str | None, where: Where) -> Findings:
    """Look at everything; nothing is changed.

    Raises:
        ConfigurationError: the settings cannot be meant.
        Ambiguous: Slack does not answer.
    """
    settings = await where.settings()
    async with open_slack(settings) as slack:
        findings = [finding async for finding in look(slack, settings, channel)]
        if findings[0].wrong is None:
            findings += [finding async for finding in _beyond(slack, settings, channel)]
    return [*findings, await anyio.to_thread.run_sync(_secrets)]


async def _beyond(slack: Client, settings: Settings, channel: str | None) -> AsyncIterator[Finding]:
    if settings.app_token is not None:
        yield await _sockets(slack)
    yield await home_tab(slack, needed=False)
    async for finding in user_groups(slack, ()):
        yield finding
    yield clock(wall_clock() / 1_000_000 - slack.now())
    if channel is not None:
        yield await _history(slack, channel)


async def _sockets(slack: Client) -> Finding:
    """Open a socket for as long as it takes to be greeted: the greeting says how many there are."""
    try:
        ticket = await slack.caller.read("apps.connections.open", {}, urgency=Urgency.CLAIM)
        with anyio.fail_after(_HELLO):
            async with open_socket(str(ticket.get("url"))) as socket:
                return connections(await socket.receive())
    except (Refused, Ambiguous) as error:
        return Finding(what="sockets", wrong=error)
    except TimeoutError:
        silent = SlackMQError("The socket opens, and Slack says nothing.", remedy="Look at what stands before Slack.")
        return Finding(what="sockets", wrong=silent)


def connections(frame: Mapping[str, Any]) -> Finding:
    """What a socket's first frame says of the app's connections; ours is one of them."""
    if frame.get("type") != "hello":
        said = str(frame.get("reason") or frame.get("type"))
        error = SlackMQError(f"Slack closed the socket ({said}).", remedy="Run at most 10 workers an app.")
        return Finding(what="sockets", wrong=error)
    others = int(frame.get("num_connections") or 1) - 1
    if others >= _SOCKETS - 1:
        error = SlackMQError(
            f"{others} of the {_SOCKETS} connections of an app are in use.",
            remedy="Run more jobs at a time (-c) instead of more workers, or a second app.",
        )
        return Finding(what="sockets", wrong=error)
    return Finding(what="sockets", detail=f"{others} of the {_SOCKETS} connections of the app are in use")


def clock(ahead: float) -> Finding:
    """Whether this machine's clock is about right.

    Args:
        ahead: seconds by which it is ahead of Slack's; Slack's own is known to about two seconds.
    """
    if abs(ahead) <= _OFF:
        return Finding(what="clock", detail=f"within {_OFF:.0f} s of Slack's; claims do not use it")
    side = "ahead of" if ahead > 0 else "behind"
    error = SlackMQError(
        f"This machine's clock is {abs(ahead):.0f} s {side} Slack's. Claims do not use it; logs and people do.",
        remedy="Let it be set by the network (NTP).",
    )
    return Finding(what="clock", wrong=error)


async def _history(slack: Client, channel: str) -> Finding:
    try:
        place = await slack.channel(channel)
    except Refused as error:
        return Finding(what="channel", wrong=error)
    try:
        args = {"channel": place.id, "limit": _UNLISTED + 1}
        return plan(await slack.caller.read("conversations.history", args, urgency=Urgency.SCAN))
    except Refused as error:
        return Finding(what="plan", wrong=error)


def plan(page: Mapping[str, Any]) -> Finding:
    """What a page of history, asked for with a limit of 16, says of the app's and the workspace's plan."""
    if page.get("has_more") and len(page.get("messages") or ()) == _UNLISTED:
        error = SlackMQError(
            "Slack shows this app 15 messages a call, once a minute: it is distributed and not in the Marketplace.",
            remedy="Use an app that is internal to the workspace: slackmq manifest.",
        )
        return Finding(what="plan", wrong=error)
    if page.get("is_limited"):
        return Finding(what="plan", detail="free: what is older than 90 days is hidden, also from workers")
    return Finding(what="plan", detail="the whole history is shown")


def _secrets() -> Finding:
    own = Path(platformdirs.user_data_dir("slackmq", appauthor=False))
    return exposed([*Path.cwd().glob(".env*"), *own.glob("*")])


def exposed(paths: Iterable[Path]) -> Finding:
    """Whether other users of this machine can read, or write, a file with tokens of Slack's in it."""
    open_ = sorted(_exposed(paths))
    if not open_:
        return Finding(what="files", detail="no file with tokens here that others can read")
    names = " ".join(f'"{path}"' for path in open_)
    error = SlackMQError(
        f"Everybody on this machine can get at the tokens in {names}.",
        remedy=f"chmod 600 {names}, and replace the tokens.",
    )
    return Finding(what="files", wrong=error)


def _exposed(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        try:
            if path.is_file() and path.stat().st_mode & 0o077 and _TOKEN.search(path.read_bytes()):
                yield path
        except OSError:
            continue  # what we cannot read ourselves is not ours

"""`slackmq worker --check`: could it work? One line a finding, each wrong one with its remedy."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.cli.exits import Exit, explanation
from slackmq.errors import MissingScope, NotInChannel, Refused, SlackMQError
from slackmq.slack.api import Urgency
from slackmq.slack.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from slackmq.app import App
    from slackmq.slack.api import Channel
    from slackmq.slack.client import Client
    from slackmq.slack.connect import Settings

__all__ = ["Finding", "handlers", "look", "report"]

_NOWHERE = "1000000000.000001"
"""A timestamp of 2001, before Slack: no message can have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: as "bot token" or "scope chat:write".
        detail: what was found.
        wrong: what went wrong; None if all is well.
    """

    what: str
    detail: str = ""
    wrong: SlackMQError | None = None


async def look(slack: Client, settings: Settings, channel: str | None) -> AsyncIterator[Finding]:
    """Look at the tokens, at a channel if there is one to look at, and at the scopes; nothing is changed."""
    try:
        identity = await slack.identity()
    except Refused as error:
        yield Finding(what="bot token", wrong=error)
        return
    yield Finding(what="bot token", detail=f"user {identity.user} of team {identity.team}")
    yield await _app_token(slack, settings)
    ident = ""
    if channel is not None:
        found = await _channel(slack, channel)
        yield found if isinstance(found, Finding) else _membership(found)
        ident = "" if isinstance(found, Finding) else found.id
    async for finding in _scopes(slack, ident):
        yield finding


def report(findings: Sequence[Finding]) -> Exit:
    """Print one line a finding, and the remedy under each wrong one."""
    for finding in findings:
        if finding.wrong is None:
            sys.stdout.write(f"ok     {finding.what}: {finding.detail}\n")
        else:
            sys.stdout.write(f"wrong  {finding.what}: {_indented(finding.wrong)}\n")
    return Exit.DOES_NOT_HOLD if any(finding.wrong for finding in findings) else Exit.OK


def _indented(error: SlackMQError) -> str:
    return explanation(error).replace("\n", "\n       ")


def handlers(app: App) -> Finding:
    """What the app does."""
    names = [f"{handler.name} ({'listens' if handler.pattern else 'task'})" for handler in app.handlers]
    if not names:
        return Finding(
            what="handlers",
            wrong=SlackMQError("The app has none.", remedy="Decorate functions with @app.listen(…) or @app.task."),
        )
    return Finding(what="handlers", detail=", ".join(names))


async def _app_token(slack: Client, settings: Settings) -> Finding:
    if settings.app_token is None:
        return Finding(
            what="app token",
            wrong=SlackMQError(
                "SLACK_APP_TOKEN is not set: messages would be found seconds late, by reading the channel.",
                remedy="Set it to the app-level token (xapp-…) with the scope connections:write.",
            ),
        )
    try:
        await slack.caller.read("apps.connections.open", {}, urgency=Urgency.CLAIM)
    except Refused as error:
        return Finding(what="app token", wrong=error)
    return Finding(what="app token", detail="Socket Mode is open to it")


async def _channel(slack: Client, name: str) -> Channel | Finding:
    try:
        return await slack.channel(name)
    except Refused as error:
        return Finding(what="channel", wrong=error)


def _membership(channel: Channel) -> Finding:
    if channel.archived:
        return Finding(what="channel", wrong=refusal("conversations.info", {"error": "is_archived"}))
    if channel.member:
        return Finding(what="channel", detail=f"#{channel.name} ({channel.id}), the bot is a member")
    return Finding(
        what="channel",
        wrong=NotInChannel(
            f"The bot is no member of #{channel.name}.",
            method="conversations.info",
            code="not_in_channel",
            remedy='Invite it: type "/invite @<your bot>" there.',
        ),
    )


async def _scopes(slack: Client, channel: str) -> AsyncIterator[Finding]:
    """Ask for each permission by a call that can do nothing: Slack looks at the scope before anything else."""
    at = {"channel": channel or "C0", "timestamp": _NOWHERE}
    probes: dict[str, tuple[str, dict[str, object]]] = {
        "channels:history": ("conversations.history", {"channel": channel or "C0", "limit": 1}),
        "channels:read": ("conversations.list", {"limit": 1}),
        "chat:write": ("chat.update", {"channel": channel or "C0", "ts": _NOWHERE, "text": "-"}),
        "reactions:read": ("reactions.get", dict(at)),
        "reactions:write": ("reactions.add", {**at, "name": "clock1"}),
    }
    for scope, (method, args) in probes.items():
        try:
            await slack.caller.write(method, args, urgency=Urgency.SCAN)
        except MissingScope as error:
            yield Finding(what=f"scope {scope}", wrong=error)
            continue
        except Refused:
            pass  # there is no such message: that is not what was asked
        yield Finding(what=f"scope {scope}", detail="granted")

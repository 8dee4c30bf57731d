"""What a look at an app says of its Home tab and of user groups: wrong only where the app needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.cli.check import Finding, handlers, look
from slackmq.errors import MissingScope, Refused
from slackmq.queue.roles import is_group
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from slackmq.app import App
    from slackmq.cli.where import Where
    from slackmq.slack.api import Slack

__all__ = ["check", "home_tab", "user_groups"]

_NO_GROUP = "S0"
"""The id of no group: whether groups may be read shows before whether there is this one."""


async def check(app: App, where: Where) -> tuple[Finding, ...]:
    """Look at everything that a worker of this app needs; nothing is changed.

    Raises:
        ConfigurationError: the settings cannot be meant.
        Ambiguous: Slack does not answer.
    """
    settings = await where.settings()
    findings = [handlers(app)]
    async with open_slack(settings) as slack:
        findings += [finding async for finding in look(slack, settings, app.channel)]
        if findings[1].wrong is None:
            findings += [finding async for finding in _surfaces(slack, app)]
    return tuple(findings)


async def _surfaces(slack: Slack, app: App) -> AsyncIterator[Finding]:
    """Look at what the app needs beyond its channel, and at nothing that it does not."""
    named = {*(app.controls.allowed if app.controls else ()), *(app.home.allowed if app.home else ())}
    if app.home is not None:
        yield await home_tab(slack, needed=True)
    if any(map(is_group, named)):
        async for finding in user_groups(slack, named):
            yield finding


async def home_tab(slack: Slack, *, needed: bool) -> Finding:
    """Whether the app has a Home tab: by one for the bot itself, which nobody can open.

    Args:
        slack: the workspace.
        needed: whether it is wrong if there is none.
    """
    try:
        await slack.surfaces.publish((await slack.identity()).user, [{"type": "divider"}])
    except Refused as error:
        if error.code != "not_enabled":  # Slack does not say whether a bot may have one
            return Finding(what="home tab", detail="cannot be told")
        if needed:
            return Finding(what="home tab", wrong=error)
        return Finding(what="home tab", detail="none; App(home=…) needs one: slackmq manifest --home")
    return Finding(what="home tab", detail="switched on")


async def user_groups(slack: Slack, named: Collection[str]) -> AsyncIterator[Finding]:
    """Whether the groups among these ids can be read; where none is named, whether any could."""
    groups = sorted(filter(is_group, named))
    for group in groups:
        try:
            count = len(await slack.surfaces.members(group))
        except Refused as error:
            yield Finding(what=f"user group {group}", wrong=error)
        else:
            yield Finding(what=f"user group {group}", detail=f"{count} people")
    if groups:
        return
    try:
        await slack.surfaces.members(_NO_GROUP)
    except MissingScope:
        yield Finding(what="user groups", detail="cannot be read; roles by group need them: slackmq manifest --groups")
        return
    except Refused:
        pass  # there is no such group: that is not what was asked
    yield Finding(what="user groups", detail="can be read")

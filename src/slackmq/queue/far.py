"""How far back jobs may stand that wait for long: a bookmark of the channel says so, for whoever starts later."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from slackmq.errors import Ambiguous, Refused
from slackmq.queue.setting import HOME

if TYPE_CHECKING:
    from slackmq.slack.api import Slack

__all__ = ["LONGEST", "note_far", "read_far"]

_log = logging.getLogger("slackmq.watch")
LONGEST = 120 * 86_400.0
"""Seconds; no job waits longer for its time: as far ahead as Slack itself takes a message (docs.slack.dev,
chat.scheduleMessage)."""
_FIELD = "delayed-since"
_TITLE = "Jobs that wait for long stand in this channel"


async def note_far(slack: Slack, channel: str, *, since: float | None = None) -> None:
    """See to it that whoever starts from now on looks back as far as a moment.

    Args:
        slack: the workspace.
        channel: id of the channel.
        since: that moment, in seconds since 1970; None: now, to be called before such a post.

    Raises:
        Refused: the bookmarks cannot be read or written.
        Ambiguous: no answer came.
    """
    known, moment = await _since(slack, channel), slack.now() if since is None else since
    if known is None or known > moment:
        await slack.bookmark(channel, _TITLE, f"{HOME}#{urlencode({_FIELD: f'{moment:.0f}'})}")


async def read_far(slack: Slack, channel: str, *, reach: float) -> float:
    """How far back what waits in a channel may stand, in seconds since 1970.

    Args:
        slack: the workspace.
        channel: id of the channel.
        reach: seconds for which what could be begun waits for a worker.
    """
    now = slack.now()
    try:
        since = await _since(slack, channel)
    except (Refused, Ambiguous) as error:
        _log.debug("cannot see whether jobs with a long delay wait: %s", error)
        since = now - LONGEST if isinstance(error, Ambiguous) else None
    usual = now - reach
    return max(0.0, usual if since is None else min(usual, max(since, usual - LONGEST)))


async def _since(slack: Slack, channel: str) -> float | None:
    """The earliest moment that a bookmark names: of several that were made at once, none is wrong."""
    found: list[float] = []
    for mark in await slack.bookmarks(channel):
        if mark.link.startswith(f"{HOME}#"):
            named = parse_qs(urlsplit(mark.link).fragment).get(_FIELD, [""])[0]
            found += [float(named)] if named.isdecimal() else []
    return min(found, default=None)

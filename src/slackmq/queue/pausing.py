"""Pausing: nobody begins anything in a channel as long as a bookmark at its head says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from slackmq.errors import Ambiguous
from slackmq.message import Mrkdwn
from slackmq.slack.api import Metadata
from slackmq.slack.markup import escape, mention

if TYPE_CHECKING:
    from slackmq.slack.api import Channel, Row, Slack

__all__ = ["NOTICE", "Pause", "pause", "pause_of", "resume", "says_paused"]

NOTICE = "slackmq_pause"
"""The type of the metadata of the message that says so to people, and hints to workers that they look again."""
_HOME = "https://pypi.org/project/slackmq/"
_LONGEST = 80
_TRIES = 3
"""So often the message is posted until it is answered: two of them do no harm, and workers look at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A channel is paused.

    Attributes:
        by: who did it, for people.
        since: when, whole seconds since 1970 by Slack's clock.
        ident: id of the bookmark.
    """

    by: str
    since: int
    ident: str


async def pause_of(slack: Slack, channel: str, *, shared: bool = False) -> Pause | None:
    """Whether a channel is paused: the oldest bookmark that says so.

    Args:
        slack: the workspace.
        channel: id of the channel.
        shared: whether the bots of other apps may pause it too.

    Raises:
        Refused: the bookmarks cannot be read.
        Ambiguous: no answer.
    """
    me = (await slack.identity()).user
    for mark in sorted(await slack.bookmarks(channel), key=lambda mark: (mark.created, mark.id)):
        by = _parsed(mark.link)
        if by is not None and (shared or mark.by in {"", me}):
            return Pause(by=by, since=mark.created, ident=mark.id)
    return None


async def pause(slack: Slack, channel: Channel, *, by: str, shared: bool = False) -> Pause:
    """Let nobody begin anything in a channel; what runs may end.

    The bookmark comes first, so that whoever reads the message finds it.

    Args:
        slack: the workspace.
        channel: the channel.
        by: who wants it, for people.
        shared: whether bots of several apps work the channel.

    Returns:
        The pause as it stands, also if somebody paused it before.
    """
    standing = await pause_of(slack, channel.id, shared=shared)
    if standing is not None:
        return standing
    by = by[:_LONGEST]
    link = f"{_HOME}#{urlencode({'v': '1', 'paused': by})}"
    mark = await slack.bookmark(channel.id, f"SlackMQ: paused by {by}", link)
    who = mention(by) or escape(by)
    text = f":double_vertical_bar: {who} paused this queue: what runs may end, nothing else begins until it is resumed"
    await _say(slack, channel, text, paused=True)
    return Pause(by=by, since=mark.created, ident=mark.id)


async def resume(slack: Slack, channel: Channel, *, by: str, shared: bool = False) -> bool:
    """Let the work go on.

    Returns:
        False if the channel was not paused.
    """
    found = False
    while (standing := await pause_of(slack, channel.id, shared=shared)) is not None:
        await slack.unbookmark(channel.id, standing.ident)
        found = True
    if found:
        await _say(
            slack, channel, f":arrow_forward: {mention(by) or escape(by[:_LONGEST])} resumed this queue", paused=False
        )
    return found


async def _say(slack: Slack, channel: Channel, text: str, *, paused: bool) -> None:
    metadata = Metadata(type=NOTICE, payload={"paused": paused})
    for left in reversed(range(_TRIES)):
        try:
            await slack.post(channel.id, Mrkdwn(text), metadata=metadata)
        except Ambiguous:
            if not left:
                raise
        else:
            return


def says_paused(row: Row) -> bool | None:
    """What a message says about it; None if it is no notice."""
    if row.metadata is None or row.metadata.type != NOTICE:
        return None
    return row.metadata.payload.get("paused") is True


def _parsed(link: str) -> str | None:
    """Who paused, by a bookmark's address; None if it says nothing of the kind."""
    if not link.startswith(f"{_HOME}#"):
        return None
    fields = parse_qs(urlsplit(link).fragment, keep_blank_values=True)
    if fields.get("v") != ["1"] or "paused" not in fields:
        return None
    return fields["paused"][0][:_LONGEST]

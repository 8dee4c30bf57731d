"""Setting: how a channel is worked, kept as a bookmark of the channel, where people and programs look first."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import parse_qs, urlencode, urlsplit

from slackmq.claiming.marks import Marks
from slackmq.claiming.way import WAYS
from slackmq.envelope import EVERYBODY, JOB
from slackmq.errors import Ambiguous, ConfigurationError, Refused
from slackmq.policy import Timing

if TYPE_CHECKING:
    from slackmq.claiming.way import Way
    from slackmq.slack.api import Bookmark, Channel, Slack

__all__ = ["HOME", "Choice", "Setting", "agree", "agreed", "digest_of", "found", "keep_agreed", "setting_of"]

_log = logging.getLogger("slackmq.setting")
HOME = "https://pypi.org/project/slackmq/"
"""Where our bookmarks lead; what they say to programs stands behind its "#"."""
_VERSION = "1"
_LATELY = 3600.0
"""Seconds for which a job shows that its poster works the channel."""

Choice = Literal["auto", "reaction", "pin", "native"]
"""What a program asks for: a way to claim, or to have it chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all processes that work a channel must have in common.

    Attributes:
        way: how claims are made.
        lease: how long a claim lasts.
        margin: how long others wait beyond that.
        skew: how late a read may show a write.
        marks: digest of which emoji stand for what.
        why: how `way` came to be, for people.
    """

    way: Way
    lease: timedelta
    margin: timedelta
    skew: timedelta
    marks: str
    why: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """The bookmark's title."""
        return f"SlackMQ: claims by {self.way}, {self.lease.total_seconds():g} s"

    @property
    def link(self) -> str:
        """The bookmark's address, with the setting behind the "#": no server ever gets to see that."""
        fields = {"v": _VERSION, "claim": self.way, "marks": self.marks, "why": self.why}
        times = {name: f"{getattr(self, name).total_seconds():g}" for name in ("lease", "margin", "skew")}
        return f"{HOME}#{urlencode(fields | times)}"

    @classmethod
    def parse(cls, link: str) -> Setting | None:
        """The setting in a bookmark's address; None if there is none that this version can read."""
        if not link.startswith(f"{HOME}#"):
            return None
        fields = {name: values[0] for name, values in parse_qs(urlsplit(link).fragment).items()}
        if fields.get("v") != _VERSION or fields.get("claim") not in WAYS:
            return None
        try:
            lease, margin, skew = (timedelta(seconds=float(fields[name])) for name in ("lease", "margin", "skew"))
        except (KeyError, ValueError, OverflowError):
            return None
        way = cast("Way", fields["claim"])
        return cls(
            way=way, lease=lease, margin=margin, skew=skew, marks=fields.get("marks", ""), why=fields.get("why", "")
        )

    @staticmethod
    def version(link: str) -> str:
        """The version in which a setting is written in a bookmark's address; "" if it is none."""
        if not link.startswith(f"{HOME}#"):
            return ""
        return parse_qs(urlsplit(link).fragment).get("v", [""])[0]

    def differences(self, other: Setting) -> str:
        """What is not the same there, for people."""
        named = {"claim": "way", "lease": "lease", "margin": "margin", "skew": "skew", "marks": "marks"}
        pairs = {shown: (_said(getattr(self, name)), _said(getattr(other, name))) for shown, name in named.items()}
        return ", ".join(f"{shown} {here}, there {there}" for shown, (here, there) in pairs.items() if here != there)


def setting_of(choice: Choice, *, timing: Timing, marks: Marks, socket: bool, peers: bool) -> Setting:
    """The setting of a channel that nobody has worked before.

    Args:
        choice: the way to claim, or "auto".
        timing: the time constants.
        marks: which emoji stand for what.
        socket: whether events come over a socket.
        peers: whether bots of other apps are to share the work.
    """
    if choice == "auto":
        way: Way = "pin" if peers else "reaction"
        how = "over Socket Mode" if socket else "by polling"
        why = f"auto: {'bots of several apps' if peers else 'replicas of one app'} {how}"
    else:
        way, why = choice, "as it was told"
    digest = digest_of(marks)
    return Setting(way=way, lease=timing.lease, margin=timing.margin, skew=timing.skew, marks=digest, why=why)


def digest_of(marks: Marks) -> str:
    """A digest of which emoji stand for what in claims."""
    return hashlib.blake2b(repr(marks).encode(), digest_size=4).hexdigest()


async def agreed(
    slack: Slack,
    channel: str,
    choice: Choice,
    *,
    timing: Timing | None = None,
    marks: Marks | None = None,
    socket: bool = False,
    peers: bool = False,
) -> Setting:
    """As `agree`, for a process that would choose this if nobody had worked the channel before.

    Args:
        slack: the workspace.
        channel: "#name" or id.
        choice: the way to claim, or "auto".
        timing: the time constants; None: as shipped.
        marks: which emoji stand for what; None: as shipped.
        socket: whether events come over a socket.
        peers: whether bots of other apps are to share the work.
    """
    mine = setting_of(choice, timing=timing or Timing(), marks=marks or Marks(), socket=socket, peers=peers)
    return await agree(slack, await slack.channel(channel), mine, choice=choice)


async def agree(slack: Slack, channel: Channel, mine: Setting, *, choice: Choice) -> Setting:
    """Take the channel's setting over, or be the one who sets it.

    Args:
        slack: the workspace.
        channel: the channel.
        mine: what this process would choose.
        choice: with "auto" the way that the channel is set to is taken.

    Returns:
        How this process shall work. Where the bookmarks cannot be read or written that is `mine`, with a warning.

    Raises:
        ConfigurationError: the channel is worked in another way.
    """
    try:
        mine, setting, mark = await _agreed(slack, channel, mine, choice=choice)
    except (Refused, Ambiguous) as error:
        _log.warning("cannot see whether #%s is worked in one way only: %s", channel.name, error)
        return mine
    _log.info("#%s: claims by %s (%s)", channel.name, mine.way, mine.why)
    await _warn_of_strangers(slack, channel, setting, mark)
    return mine


async def keep_agreed(slack: Slack, channel: Channel, mine: Setting) -> None:
    """See to it that the channel is still set as this process works it; who finds no setting any more sets it again.

    Raises:
        ConfigurationError: the channel is worked in another way now.
        SlackError: the bookmarks cannot be read or written.
    """
    await _agreed(slack, channel, mine, choice=mine.way)


async def _agreed(
    slack: Slack, channel: Channel, mine: Setting, *, choice: Choice
) -> tuple[Setting, Setting, Bookmark]:
    """What holds for this process, and the setting that stands there, with its bookmark."""
    first = await _first(slack, channel)
    if first is None and choice == "auto":
        mine = await _counted(slack, channel, mine)
    setting, mark = first or await _set(slack, channel, mine)
    if choice == "auto":
        mine = replace(mine, way=setting.way, why=setting.why)
    if setting != mine:
        raise ConfigurationError(
            f"#{channel.name} is worked with another setting: {mine.differences(setting)}.",
            remedy="Use the same in all programs that work it. If none does any more, "
            f'remove the bookmark "{mark.title}" from the channel.',
        )
    return mine, setting, mark


async def found(slack: Slack, channel: Channel) -> Setting | None:
    """How a channel is set; None if it is not, or if that cannot be seen."""
    try:
        first = await _first(slack, channel)
    except (Refused, Ambiguous, ConfigurationError) as error:
        _log.debug("cannot see how #%s is set: %s", channel.name, error)
        return None
    return None if first is None else first[0]


async def _first(slack: Slack, channel: Channel) -> tuple[Setting, Bookmark] | None:
    """The oldest setting: of two that were made at once, every process must see the same one.

    Within a second, which is all that Slack tells, the order in which they stand decides: who comes later must yield,
    for the other may have seen itself alone already.
    """
    marks = sorted(await slack.bookmarks(channel.id), key=lambda mark: (mark.created, mark.rank, mark.id))
    for mark in marks:
        version = Setting.version(mark.link)
        if version.isdecimal() and int(version) > int(_VERSION):
            raise ConfigurationError(
                f"#{channel.name} is worked by a newer version of slackmq: "
                f"its setting is written in version {version}, and this program reads {_VERSION}.",
                remedy="Upgrade slackmq here. If no newer one works there any more, "
                f'remove the bookmark "{mark.title}" from the channel.',
            )
    return next(((setting, mark) for mark in marks if (setting := Setting.parse(mark.link))), None)


async def _counted(slack: Slack, channel: Channel, mine: Setting) -> Setting:
    """The setting by how many apps share the work: bots of others that posted jobs for everybody claim by pins."""
    me = (await slack.identity()).user
    page = await slack.history(channel.id, oldest=max(0.0, slack.now() - _LATELY))
    jobs = [row for row in page.rows if row.metadata is not None and row.metadata.type == JOB]
    apps = {row.user for row in jobs if row.metadata and row.metadata.payload.get("to") == EVERYBODY} | {me}
    if len(apps) == 1:
        return mine
    return replace(mine, way="pin", why=f"auto: {len(apps)} apps, by the jobs that they posted for everybody")


async def _set(slack: Slack, channel: Channel, mine: Setting) -> tuple[Setting, Bookmark]:
    made = await slack.bookmark(channel.id, mine.title, mine.link)
    first = await _first(slack, channel) or (mine, made)
    if first[1].id != made.id:
        await slack.unbookmark(channel.id, made.id)
    return first


async def _warn_of_strangers(slack: Slack, channel: Channel, setting: Setting, mark: Bookmark) -> None:
    if setting.way != "pin" and mark.by and mark.by != (await slack.identity()).user:
        _log.warning(
            "another app works #%s by %s: each does what its own functions take; "
            'to share the work use claim="pin" in all',
            channel.name,
            setting.way,
        )


def _said(value: object) -> str:
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else str(value)

"""Where a message stands, as a person names it: by its link, or by its timestamp."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from slackmq.errors import ConfigurationError

__all__ = ["Place", "place_of"]

_TS = re.compile(r"\d{9,11}\.\d{6}")
_PATH = re.compile(r"/archives/([A-Z0-9]{2,})/p(\d{9,11})(\d{6})/?")
"""As "Copy link" writes it: the timestamp without its point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A message of a channel.

    Attributes:
        channel: id or name of the channel.
        ts: the message's timestamp.
    """

    channel: str
    ts: str


def place_of(named: str, channel: str | None = None) -> Place:
    """The message that is meant; of a link into a thread, the message above it.

    Args:
        named: what "Copy link" gives, or a timestamp as "1700000000.123456".
        channel: id or "#name", needed beside a timestamp.

    Raises:
        ConfigurationError: it is neither, or a timestamp without a channel.
    """
    if _TS.fullmatch(named):
        if not channel:
            raise ConfigurationError(f"{named} may be of any channel.", remedy='Add --channel "#name", or use a link.')
        return Place(channel=channel, ts=named)
    split = urlsplit(named)
    found = _PATH.fullmatch(split.path)
    if split.scheme not in {"http", "https"} or found is None:
        raise ConfigurationError(
            f"{named[:80]!r} is neither the link of a message nor a timestamp.",
            remedy='Take "Copy link" from the message, or its ts from `slackmq ls`.',
        )
    thread = parse_qs(split.query).get("thread_ts", [""])[0]
    ts = thread if _TS.fullmatch(thread) else f"{found[2]}.{found[3]}"
    return Place(channel=found[1], ts=ts)

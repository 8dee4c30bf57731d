"""A message's text as Slack stores it: &, < and > escaped, mentions kept, addresses made links."""

from __future__ import annotations

import re
from html import unescape

__all__ = ["mentions", "plain", "stored"]

_TOUCHY = re.compile(r"[&<>]|://|mailto:")
_PARTS = re.compile(
    r"(?P<kept><(?:@[UWB][A-Z0-9]+|[#]C[A-Z0-9]+|!(?:here|channel|everyone|subteam\^S[A-Z0-9]+|date\^[^<>]+)"
    r"|(?:https?|mailto|tel|ftp):[^<>|\s]+)(?:\|[^<>]*)?>|&(?:amp|lt|gt);)"
    r"|(?P<link>\b(?:https?://|mailto:)[^\s<>|]*[^\s<>|.,;:!?)\]}'\"])"
    r"|(?P<raw>[&<>])",
)
_RAW = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def stored(text: str, *, links: bool = True) -> str:
    """The text that reads and events show for what a caller sent.

    Slack escapes the three control characters unless they already form a mention, a link or an escape, and
    turns bare addresses into links (docs.slack.dev, "Formatting message text"). So text may come back changed:
    data belongs into metadata.

    Args:
        text: what the caller sent.
        links: False leaves addresses as they are (`parse` = "none").
    """
    if _TOUCHY.search(text) is None:
        return text

    def part(match: re.Match[str]) -> str:
        if match["raw"]:
            return _RAW[match["raw"]]
        if match["link"]:
            address = match["link"].replace("&amp;", "&").replace("&", "&amp;")
            return f"<{address}>" if links else address
        return match[0]

    return _PARTS.sub(part, text)


def plain(text: str) -> str:
    """The stored text with its escapes undone, as a person sees it."""
    return unescape(text) if "&" in text else text


def mentions(text: str, user: str) -> bool:
    """True if the stored text names the user."""
    return f"<@{user}>" in text or f"<@{user}|" in text

"""A message's text as Slack stores it: &, < and > escaped, mentions kept, addresses made links."""

from __future__ import annotations

import re
from html import unescape

__all__ = ["length", "mentions", "plain", "shortened", "stored"]

_DOMAIN = (
    r"(?:com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|co|me|tv|fm|gg|ly|sh|rs|py|md|xyz|cloud|tech|online|site"
    r"|us|uk|ca|au|nz|de|at|ch|fr|be|nl|lu|es|pt|it|ie|dk|se|no|fi|pl|cz|sk|hu|ro|gr|eu|ru|ua|tr|il|in|cn|jp|kr|br|mx)"
)
"""Top-level domains by which Slack takes a word for an address; its own list is longer and not published."""
# Every way begins with a literal, so that a plain text is passed over at the speed of a character set.
_TOUCHY = re.compile(rf"[&<>@]|://|mailto:|\.{_DOMAIN}\b")
_PARTS = re.compile(
    r"(?P<kept><(?:@[UWB][A-Z0-9]+|[#]C[A-Z0-9]+|!(?:here|channel|everyone|subteam\^S[A-Z0-9]+|date\^[^<>]+)"
    r"|(?:https?|mailto|tel|ftp):[^<>|\s]+)(?:\|[^<>]*)?>|&(?:amp|lt|gt);)"
    r"|(?P<code>```.+?```|`[^`\n]+`)"
    r"|(?P<link>\b(?:https?://|mailto:)[^\s<>|]*[^\s<>|.,;:!?)\]}'\"])"
    rf"|(?P<mail>\b[\w.+-]+@(?:[\w-]+\.)+{_DOMAIN}\b)"
    rf"|(?P<bare>(?<![\w@./-])(?:[a-zA-Z0-9-]+\.)+{_DOMAIN}\b(?![\w@-])(?:/[^\s<>|]*[^\s<>|.,;:!?)\]}}'\"])?)"
    r"|(?P<raw>[&<>])",
    re.DOTALL,
)
_RAW = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ESCAPE = re.compile(r"&(?:amp|lt|gt);")
_UNIT = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


def stored(text: str, *, links: bool = True) -> str:
    """The text that reads and events show for what a caller sent.

    Slack escapes the three control characters unless they already form a mention, a link or an escape, and
    turns addresses, bare domains and e-mail addresses into links outside of code (docs.slack.dev, "Formatting
    message text"). So text may come back changed: data belongs into metadata.

    Args:
        text: what the caller sent.
        links: False leaves addresses as they are (`parse` = "none").
    """
    if _TOUCHY.search(text) is None:
        return text

    def part(match: re.Match[str]) -> str:
        kind, found = match.lastgroup, match[0]
        match kind:
            case "raw":
                return _RAW[found]
            case "code":
                return _escaped(found)
            case "link":
                return f"<{_escaped(found)}>" if links else _escaped(found)
            case "mail":
                return f"<mailto:{found}|{found}>" if links else found
            case "bare":
                return f"<http://{_escaped(found)}|{_escaped(found)}>" if links else _escaped(found)
            case _:
                return found

    return _PARTS.sub(part, text)


def length(text: str) -> int:
    """How many characters Slack counts: an escape is one."""
    return len(_ESCAPE.sub("&", text)) if "&" in text else len(text)


def shortened(text: str, most: int) -> str:
    """The beginning of a text, at most so many characters as `length` counts them; no escape is cut in two."""
    if len(text) <= most or length(text) <= most:
        return text
    return "".join(unit[0] for _, unit in zip(range(most), _UNIT.finditer(text), strict=False))


def plain(text: str) -> str:
    """The stored text with its escapes undone, as a person sees it."""
    return unescape(text) if "&" in text else text


def mentions(text: str, user: str) -> bool:
    """True if the stored text names the user."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def _escaped(text: str) -> str:
    return re.sub(r"&(?!(?:amp|lt|gt);)|[<>]", lambda match: _RAW[match[0]], text)

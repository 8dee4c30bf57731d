"""Slack's text markup to HTML, and typed text to Slack's markup: bold, code, quotes, links, mentions, emoji.

Every character that came from outside is escaped at the leaf where it is written; what is trusted is only the tags
this file itself places around the leaves.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from slackmq.emulator.emoji import standard
from slackmq.emulator.page.dates import dated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["plainly", "sealed", "shown", "typed"]

_CODE = re.compile(r"```(?P<block>.+?)```|`(?P<inline>[^`\n]+)`", re.DOTALL)
_ANGLE = re.compile(r"<(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")
_EMOJI = re.compile(r":(?P<name>[a-z0-9_+-]+)(?:::skin-tone-[2-6])?:")
_ALL = frozenset({"here", "channel", "everyone"})
"""Names that call everybody."""
_STYLES = (("*", "b"), ("_", "i"), ("~", "s"))
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def shown(text: str, names: Mapping[str, str]) -> Markup:
    """Draw the text of a message.

    Args:
        text: as Slack stores it, with `&amp;`, `&lt;`, `&gt;` and `<@U…>`.
        names: id of a user or channel -> the name to show.
    """
    return _split(text, _CODE, _code, lambda rest: _quotes(rest, names))


def plainly(text: str) -> Markup:
    """Draw a text that has no mark-up but emoji: a header, a button, a label."""
    return _split(text, _EMOJI, _emoji, lambda rest: escape(unescape(rest)))


def sealed(typed: str, ids: Mapping[str, str]) -> str:
    """Turn what a person typed into the text that Slack's own clients would send.

    Args:
        typed: plain text; "@name" mentions somebody.
        ids: name of a user -> id.
    """
    text = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def mention(found: re.Match[str]) -> str:
        if found["name"] in _ALL:
            return f"<!{found['name']}>"
        user = ids.get(found["name"])
        return f"<@{user}>" if user else found[0]

    return re.sub(r"(?<![\w@])@(?P<name>[\w.-]*\w)", mention, text)


def typed(text: str, names: Mapping[str, str]) -> str:
    """Turn stored text back into what a person would type, for the edit box; labels of links are lost."""

    def plain(found: re.Match[str]) -> str:
        target: str = found["target"]
        if target[0] == "!":
            return str(found["label"] or f"@{target[1:].partition('^')[0]}")
        return f"@{names[target[1:]]}" if target[0] == "@" and target[1:] in names else target

    return unescape(_ANGLE.sub(plain, text))


def _split(
    text: str, pattern: re.Pattern[str], found: Callable[[re.Match[str]], Markup], rest: Callable[[str], Markup]
) -> Markup:
    """Apply `found` to what matches and `rest` to what lies between."""
    parts: list[Markup] = []
    end = 0
    for match in pattern.finditer(text):
        parts += [rest(text[end : match.start()]), found(match)]
        end = match.end()
    return Markup().join([*parts, rest(text[end:])])


def _code(found: re.Match[str]) -> Markup:
    if found["block"] is not None:
        return Markup("<pre>{}</pre>").format(unescape(found["block"]).strip("\n"))
    return Markup("<code>{}</code>").format(unescape(found["inline"]))


def _quotes(text: str, names: Mapping[str, str]) -> Markup:
    """Lines that begin with ">" are a quotation (stored as `&gt;`)."""
    lines: list[Markup] = []
    for line in text.split("\n"):
        quoted = line.startswith("&gt;")
        drawn = _split(line[4:].lstrip() if quoted else line, _ANGLE, lambda a: _angle(a, names), _styles)
        lines.append(Markup("<blockquote>{}</blockquote>").format(drawn) if quoted else drawn)
    return Markup("\n").join(lines)


def _angle(found: re.Match[str], names: Mapping[str, str]) -> Markup:
    """What stands in angle brackets: a mention, a channel, a call to all, or a link."""
    target, label = found["target"], found["label"]
    match target[0], target[1:]:
        case "@", user:
            return Markup('<span class="mention">@{}</span>').format(names.get(user, unescape(label or user)))
        case "#", channel:
            return Markup('<span class="mention">#{}</span>').format(names.get(channel, unescape(label or channel)))
        case "!", keyword:
            return _special(keyword, label)
        case _:
            pass
    if not _SAFE_LINK.match(target):
        return escape(unescape(found[0]))
    text = unescape(label or target)
    return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(unescape(target), text)


def _special(keyword: str, label: str | None) -> Markup:
    """A date, a group, or a call to all."""
    kind, _, rest = keyword.partition("^")
    if kind == "date":
        timestamp, _, form = rest.partition("^")
        form, _, link = form.partition("^")
        text = dated(timestamp, unescape(form), unescape(label or timestamp))
        if not _SAFE_LINK.match(link):
            return Markup("<span>{}</span>").format(text)
        return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(unescape(link), text)
    name = unescape(label or (rest if kind == "subteam" else kind))
    return Markup('<span class="mention">@{}</span>').format(name.removeprefix("@"))


def _styles(text: str, depth: int = 0) -> Markup:
    """Bold, italic and struck through, where the mark touches the word and nothing touches the mark."""
    if depth == len(_STYLES):
        return _split(text, _EMOJI, _emoji, lambda rest: escape(unescape(rest)))
    mark, tag = _STYLES[depth]
    quoted = re.escape(mark)
    pattern = re.compile(rf"(?<![\w{quoted}]){quoted}(?=\S)([^{quoted}\n]*\S){quoted}(?![\w{quoted}])")
    return _split(
        text,
        pattern,
        lambda found: Markup(f"<{tag}>{{}}</{tag}>").format(_styles(found[1], depth + 1)),  # noqa: S704  # own tags
        lambda rest: _styles(rest, depth + 1),
    )


def _emoji(found: re.Match[str]) -> Markup:
    name = found["name"]
    if name not in standard():
        return escape(found[0])
    return Markup('<span class="emoji" title=":{}:">{}</span>').format(name, standard()[name])

"""Standard Markdown to HTML, as Slack's `markdown` block takes it: headings, lists, tables, quotations, code, links.

As in `mrkdwn`, every text from outside is escaped at the leaf where it is written.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from slackmq.emulator.page.loose import safe_link
from slackmq.emulator.page.mrkdwn import plainly, shown
from slackmq.emulator.page.table import tabled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Names = Mapping[str, str]

__all__ = ["markdown"]

_DEEP = 6
"""Quotations, lists and styles within each other; what lies deeper stays as it was written."""
_FENCE = re.compile(r" {0,3}(?P<mark>```|~~~)")
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6}) +(?P<text>.*?)[ #]*$")
_RULE = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_QUOTE = re.compile(r" {0,3}> ?(?P<text>.*)$")
_ITEM = re.compile(r"(?P<indent> *)(?:[-*+]|(?P<number>\d{1,9})[.)]) +(?P<text>.*)$")
_TASK = re.compile(r"\[(?P<mark>[ xX])\] +(?P<text>.*)$", re.DOTALL)
_DIVISION = re.compile(r" *\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$")
_INLINE = re.compile(
    r"(?P<ticks>`{1,3})(?P<code>[^`\n]+)(?P=ticks)"
    r"|!?\[(?P<label>[^\[\]\n]{0,500})\]\((?P<target>[^)\s]{1,500})(?: +\"[^\"\n]*\")?\)"
    r"|(?P<angle><[^<>\n]+>)"
    r"|(?P<bare>https?://[^\s<>()\"']*[\w/#=&-])"
    r"|\*\*(?P<bold>(?!\s)(?:(?!\*\*)[^\n])+(?<!\s))\*\*|(?<!\w)__(?P<bold2>(?!\s)(?:(?!__)[^\n])+(?<!\s))__(?!\w)"
    r"|~~(?P<gone>(?!\s)(?:(?!~~)[^\n])+(?<!\s))~~"
    r"|\*(?P<leaning>[^\s*](?:[^*\n]*[^\s*])?)\*|(?<!\w)_(?P<leaning2>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)"
    r"|\\(?P<plain>[!-/:-@\[-`{-~])"
)
_TAGS = {"bold": "b", "bold2": "b", "gone": "s", "leaning": "i", "leaning2": "i"}


def markdown(text: str, names: Names) -> Markup:
    """Draw a text in Markdown.

    Args:
        text: as the app wrote it.
        names: id of a user or channel -> the name to show.
    """
    return _blocks(text.expandtabs(4).splitlines(), names, 0)


def _blocks(lines: Sequence[str], names: Names, depth: int) -> Markup:
    """One construct after the other; each says how many lines it took."""
    parts: list[Markup] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        drawn, took = _construct(lines[at:], names, depth)
        parts.append(drawn)
        at += took
    return Markup().join(parts)


def _construct(lines: Sequence[str], names: Names, depth: int) -> tuple[Markup, int]:
    """Draw what begins with the first line, and tell how many lines it is."""
    line = lines[0]
    if fence := _FENCE.match(line):
        return _code(lines, fence["mark"])
    if heading := _HEADING.match(line):
        return Markup('<p class="heading h{}">{}</p>').format(len(heading["marks"]), _inline(heading["text"], names)), 1
    if _RULE.match(line):
        return Markup("<hr>"), 1
    return _several(lines, names, depth)


def _several(lines: Sequence[str], names: Names, depth: int) -> tuple[Markup, int]:
    line = lines[0]
    if depth < _DEEP and _QUOTE.match(line):
        inner = _run(lines, lambda one: _QUOTE.match(one) is not None)
        within = [one.lstrip().removeprefix(">").removeprefix(" ") for one in inner]
        return Markup("<blockquote>{}</blockquote>").format(_blocks(within, names, depth + 1)), len(inner)
    if depth < _DEEP and _ITEM.match(line):
        return _list(lines, names, depth)
    if "|" in line and len(lines) > 1 and "|" in lines[1] and _DIVISION.match(lines[1]):
        return _table(lines, names)
    inner = [line, *_run(lines[1:], lambda one: bool(one.strip()) and not _begins(one))]
    return Markup('<p class="line">{}</p>').format(_inline("\n".join(inner), names)), len(inner)


def _begins(line: str) -> bool:
    """True if a line ends the paragraph before it."""
    return any(pattern.match(line) for pattern in (_FENCE, _HEADING, _RULE, _QUOTE, _ITEM))


def _run(lines: Sequence[str], fits: Callable[[str], bool]) -> list[str]:
    """The lines from the first one on as long as they fit."""
    end = next((at for at, line in enumerate(lines) if not fits(line)), len(lines))
    return list(lines[:end])


def _code(lines: Sequence[str], mark: str) -> tuple[Markup, int]:
    inner = _run(lines[1:], lambda one: not one.strip().startswith(mark))
    return Markup("<pre>{}</pre>").format("\n".join(inner)), len(inner) + 2


def _list(lines: Sequence[str], names: Names, depth: int) -> tuple[Markup, int]:
    """Items that stand as deep as the first; what stands deeper belongs to the item before it."""
    first = _ITEM.match(lines[0])
    assert first is not None  # noqa: S101  # the caller looked
    edge, ordered = len(first["indent"]), first["number"] is not None
    items: list[list[str]] = []
    took = 0
    for line in lines:
        found = _ITEM.match(line)
        if found and len(found["indent"]) <= edge + 1:
            if (found["number"] is not None) != ordered or len(found["indent"]) < edge:
                break
            items.append([found["text"]])
        elif line.strip() and len(line) - len(line.lstrip()) > edge:
            items[-1].append(line[edge + 2 :])
        else:
            break
        took += 1
    drawn = Markup().join(_item(item, names, depth) for item in items)
    if ordered:
        return Markup('<ol start="{}">{}</ol>').format(int(first["number"]), drawn), took
    return Markup("<ul>{}</ul>").format(drawn), took


def _item(lines: list[str], names: Names, depth: int) -> Markup:
    rest = _blocks(lines[1:], names, depth + 1)
    if task := _TASK.match(lines[0]):
        box = "☐" if task["mark"] == " " else "☑"
        return Markup('<li class="task">{} {}{}</li>').format(box, _inline(task["text"], names), rest)
    return Markup("<li>{}{}</li>").format(_inline(lines[0], names), rest)


def _table(lines: Sequence[str], names: Names) -> tuple[Markup, int]:
    sides = [_side(cell) for cell in _cells(lines[1])]
    inner = _run(lines[2:], lambda one: "|" in one)
    head, *body = [
        Markup().join(
            Markup('<{0} class="{1}">{2}</{0}>').format(tag, side, _inline(cell, names))
            for side, cell in zip(sides, [*_cells(line), *[""] * len(sides)], strict=False)
        )
        for tag, line in (("th", lines[0]), *(("td", line) for line in inner))
    ]
    rows = Markup().join(Markup("<tr>{}</tr>").format(row) for row in body)
    drawn = tabled(Markup("<thead><tr>{}</tr></thead><tbody>{}</tbody>").format(head, rows))
    return drawn, len(inner) + 2


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]


def _side(division: str) -> str:
    if division.endswith(":"):
        return "center" if division.startswith(":") else "right"
    return "left"


def _inline(text: str, names: Names, depth: int = 0) -> Markup:
    """Code, links, mentions and styles; between them emoji."""
    if depth == _DEEP:
        return plainly(text)
    parts: list[Markup] = []
    end = 0
    for found in _INLINE.finditer(text):
        parts += [plainly(text[end : found.start()]), _leaf(found, names, depth)]
        end = found.end()
    return Markup().join([*parts, plainly(text[end:])])


def _leaf(found: re.Match[str], names: Names, depth: int) -> Markup:
    match str(found.lastgroup):
        case "code":
            return Markup("<code>{}</code>").format(found["code"])
        case "target":
            return _link(found["target"], _inline(found["label"], names, depth + 1) or escape(found["target"]))
        case "bare":
            return _link(found["bare"], escape(unescape(found["bare"])))
        case "angle":
            return shown(found["angle"], names)
        case "plain":
            return escape(found["plain"])
        case style:
            tag = Markup(_TAGS[style])  # noqa: S704  # own tags
            return Markup("<{0}>{1}</{0}>").format(tag, _inline(found[style], names, depth + 1))


def _link(target: str, label: Markup) -> Markup:
    address = safe_link(target)
    if not address:
        return label
    return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(address, label)

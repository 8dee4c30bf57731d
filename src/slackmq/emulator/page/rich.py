"""Rich text of Block Kit to HTML: sections, lists, quotations and code, with styles, links, mentions and emoji.

As in `mrkdwn`, every text from outside is escaped where it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from slackmq.emulator.page.dates import dated
from slackmq.emulator.page.emoji import character
from slackmq.emulator.page.loose import row_in, rows, safe_link, words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rich"]

_STYLES = {"bold": "b", "italic": "i", "strike": "s", "code": "code", "underline": "u"}
_CONTAINERS = {"rich_text_quote": "blockquote", "rich_text_preformatted": "pre"}
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_DEEP = 8


def rich(block: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    """Draw a rich_text block.

    Args:
        block: the block, or any of the containers in one.
        names: id of a user or channel -> the name to show.
    """
    return Markup().join(_container(part, names) for part in rows(block.get("elements")))


def _container(part: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    kind = words(part.get("type"))
    if kind == "rich_text_list":
        return _list(part, names)
    inner = Markup().join(_leaf(leaf, names) for leaf in rows(part.get("elements")))
    if kind in _CONTAINERS:
        tag = Markup(_CONTAINERS[kind])  # noqa: S704  # own tags
        return Markup("<{}>{}</{}>").format(tag, inner, tag)
    return Markup('<p class="line">{}</p>').format(inner)


def _list(part: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    items = Markup().join(
        Markup("<li>{}</li>").format(rich({"elements": [row]}, names)) for row in rows(part.get("elements"))
    )
    indent = part.get("indent")
    deep = min(indent, _DEEP) if isinstance(indent, int) and indent > 0 else 0
    if part.get("style") == "ordered":
        offset = part.get("offset")
        start = offset + 1 if isinstance(offset, int) and offset > 0 else 1
        return Markup('<ol class="in-{}" start="{}">{}</ol>').format(deep, start, items)
    return Markup('<ul class="in-{}">{}</ul>').format(deep, items)


def _leaf(leaf: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    drawn = _content(leaf, names)
    for style, tag in _STYLES.items():
        if row_in(leaf.get("style")).get(style) is True:
            drawn = Markup(f"<{tag}>{{}}</{tag}>").format(drawn)  # noqa: S704  # own tags
    return drawn


def _content(leaf: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    match words(leaf.get("type")):
        case "link":
            return _link(safe_link(leaf.get("url")), words(leaf.get("text")) or words(leaf.get("url")))
        case "emoji":
            name = words(leaf.get("name"))
            return Markup('<span class="emoji" title=":{}:">{}</span>').format(name, character(name))
        case "user" | "channel" | "broadcast" | "usergroup" | "team" as kind:
            ident = words(leaf.get("range" if kind == "broadcast" else f"{kind}_id"))
            return _mention("#" if kind == "channel" else "@", ident, names)
        case "date":
            text = dated(leaf.get("timestamp"), words(leaf.get("format")), words(leaf.get("fallback")))
            return _link(safe_link(leaf.get("url")), text)
        case "color":
            return _colour(words(leaf.get("value")))
        case _:
            return escape(words(leaf.get("text")) or words(leaf.get("fallback")))


def _mention(sign: str, ident: str, names: Mapping[str, str]) -> Markup:
    return Markup('<span class="mention">{}{}</span>').format(sign, names.get(ident, ident))


def _colour(value: str) -> Markup:
    """The colour's name after a sample of it; a picture, because the page's policy allows no styles in the mark-up."""
    if not _HEX.fullmatch(value):
        return escape(value)
    sample = '<svg class="sample" aria-hidden="true"><rect width="100%" height="100%" fill="{0}"/></svg>{0}'
    return Markup(sample).format(value)  # noqa: S704  # own tags


def _link(address: str, text: str) -> Markup:
    if not address:
        return escape(text)
    return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(address, text)

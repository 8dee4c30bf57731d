"""Block Kit as values for the page: blocks, and the older attachments.

Apps may write anything into a block: what is of the wrong shape is left out, never an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from slackmq.emulator.block_shape import nested
from slackmq.emulator.page.element import drawn_text, element, picture
from slackmq.emulator.page.loose import row_in, rows, safe_link, text_in, words
from slackmq.emulator.page.markdown import markdown
from slackmq.emulator.page.mrkdwn import shown
from slackmq.emulator.page.rich import rich
from slackmq.emulator.page.table import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.page.element import Element
    from slackmq.emulator.page.view import Directory

__all__ = ["Attachment", "Block", "attachments", "blocks"]

_COLOURS = {"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}
"""Slack's names (docs.slack.dev, "Secondary message attachments")."""
_NOTHING = Markup()
_DEEP = 3
"""Blocks within each other; what lies deeper is left out."""
_HEX = re.compile(r"#?([0-9A-Fa-f]{6})")


_TEXTS = {"input": "label", "card": "body", "file": "external_id"}
"""Kind of block -> where its text stands, if not under `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block; of an unknown kind only its name is shown.

    Attributes:
        text: what is written in it, drawn.
        children: a carousel's cards, a plan's tasks, what a container holds.
        level: how urgent an alert is, how far a task.
        folds: True if a container can be folded, `folded` if it is at first.
        link: where a video is watched.
        credit: who made a video, and who shows it.
        picture: the address of its image, "" for none; `text` is then its description.
    """

    kind: str
    id: str
    text: Markup
    fields: tuple[Markup, ...] = ()
    elements: tuple[Element, ...] = ()
    accessory: Element | None = None
    picture: str = ""
    title: str | Markup = ""
    link: str = ""
    credit: str = ""
    hint: str = ""
    optional: bool = False
    subtitle: Markup = _NOTHING
    children: tuple[Block, ...] = ()
    level: str = ""
    folds: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An attachment of the older kind; `colour` is six digits with #, "" for none."""

    pretext: Markup
    colour: str
    author: str
    title: str
    link: str
    text: Markup
    fields: tuple[tuple[str, Markup], ...]
    footer: str
    picture: str
    blocks: tuple[Block, ...]


def blocks(given: object, directory: Directory, state: object = None) -> tuple[Block, ...]:
    """Draw a list of blocks.

    Args:
        given: the blocks as Slack's JSON.
        directory: names, and who looks.
        state: what was entered into a view: block -> action -> value.
    """
    return tuple(_block(row, directory, row_in(state)) for row in rows(given))


def attachments(given: object, directory: Directory) -> tuple[Attachment, ...]:
    """Draw a list of attachments."""
    return tuple(
        Attachment(
            colour=_colour(row.get("color")),
            pretext=shown(words(row.get("pretext")), directory.names),
            author=text_in(row.get("author_name")),
            title=text_in(row.get("title")),
            link=safe_link(row.get("title_link")),
            text=shown(
                words(row.get("text")) or ("" if row.get("blocks") else words(row.get("fallback"))), directory.names
            ),
            fields=tuple(
                (text_in(f.get("title")), drawn_text(f.get("value"), directory)) for f in rows(row.get("fields"))
            ),
            footer=text_in(row.get("footer")),
            picture=picture(row.get("image_url")),
            blocks=blocks(row.get("blocks"), directory),
        )
        for row in rows(given)
    )


def _block(row: Mapping[str, Any], directory: Directory, state: Mapping[str, Any], depth: int = 1) -> Block:
    kind, ident = words(row.get("type")), words(row.get("block_id"))
    entered = row_in(state.get(ident))
    live = row.get("dispatch_action") is True if kind == "input" else kind != "context"
    accessory: Element | None = None
    if kind == "section" and row_in(row.get("accessory")):
        accessory = element(row_in(row.get("accessory")), ident, directory, entered, live=True)
    return Block(
        kind=kind,
        id=ident,
        text=_text(row, directory),
        fields=tuple(drawn_text(field, directory) for field in rows(row.get("fields"))),
        elements=tuple(element(one, ident, directory, entered, live=live) for one in _elements(kind, row)),
        accessory=accessory,
        picture=_picture_of(row),
        title=drawn_text(row.get("title"), directory) if kind == "card" else text_in(row.get("title")),
        subtitle=drawn_text(row.get("subtitle"), directory),
        children=tuple(_block(child, directory, state, depth + 1) for child in nested(row) if depth < _DEEP),
        level=words(row.get("level")) or words(row.get("status")),
        folds=row.get("is_collapsible") is True,
        folded=row.get("is_collapsible") is True and row.get("default_collapsed") is True,
        link=safe_link(row.get("title_url")) or safe_link(row.get("video_url")),
        credit=", ".join(filter(None, (words(row.get("author_name")), words(row.get("provider_name"))))),
        hint=text_in(row.get("hint")),
        optional=row.get("optional") is True,
    )


def _elements(kind: str, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What stands in a block to be used or, in a context, to be read."""
    match kind:
        case "actions" | "context" | "context_actions":
            return rows(row.get("elements"))
        case "card":
            return rows(row.get("actions"))
        case "input":
            return rows([row.get("element")])
        case "task_card":
            return rows(row.get("sources"))
        case _:
            return []


def _picture_of(row: Mapping[str, Any]) -> str:
    given = row.get("image_url") or row.get("thumbnail_url") or row_in(row.get("slack_file")).get("url")
    return picture(given or row_in(row.get("hero_image")).get("image_url"))


def _text(row: Mapping[str, Any], directory: Directory) -> Markup:
    kind, names = words(row.get("type")), directory.names
    match kind:
        case "rich_text" | "table" | "data_table":
            return rich(row, names) if kind == "rich_text" else table(row, names)
        case "markdown":
            return markdown(words(row.get("text")), names)
        case "image" | "video":
            return escape(words(row.get("alt_text")))
        case "task_card":
            return rich(row_in(row.get("details")), names) + rich(row_in(row.get("output")), names)
        case _:
            return drawn_text(row.get(_TEXTS.get(kind, "text")), directory)


def _colour(given: object) -> str:
    found = _HEX.fullmatch(words(given))
    return f"#{found[1]}" if found else _COLOURS.get(words(given), "")

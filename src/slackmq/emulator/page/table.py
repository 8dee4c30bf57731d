"""Block Kit's tables to HTML: the first row is the head; cells hold plain text, numbers or rich text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from markupsafe import Markup

from slackmq.emulator.page.loose import row_in, rows, words
from slackmq.emulator.page.mrkdwn import plainly
from slackmq.emulator.page.rich import rich

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["table", "tabled"]

_SIDES = frozenset({"left", "center", "right"})


def table(block: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    """Draw a table block, or a data_table block.

    Args:
        block: the block.
        names: id of a user or channel -> the name to show.
    """
    given: object = block.get("rows")
    lines = cast("list[object]", given) if isinstance(given, list) else []
    settings = block.get("column_settings")
    sides = [_side(one) for one in cast("list[object]", settings)] if isinstance(settings, list) else []
    head, *body = [
        _row(line, tag, sides, names) for line, tag in zip(lines, ["th", *["td"] * len(lines)], strict=False)
    ] or [Markup()]
    caption = words(block.get("caption"))
    title = Markup("<caption>{}</caption>").format(plainly(caption)) if caption else Markup()
    return tabled(Markup("{}<thead>{}</thead><tbody>{}</tbody>").format(title, head, Markup().join(body)))


def tabled(inner: Markup) -> Markup:
    """A table that scrolls sideways by itself, with the keyboard too."""
    frame = Markup('<div class="sheeted" tabindex="0" role="region" aria-label="Table"><table>{}</table></div>')
    return frame.format(inner)


def _row(line: object, tag: str, sides: Sequence[str], names: Mapping[str, str]) -> Markup:
    cells = rows(line)
    padded = [*sides[: len(cells)], *["left"] * (len(cells) - len(sides))]
    drawn = (
        Markup('<{0} class="{1}">{2}</{0}>').format(tag, side, _cell(cell, names))
        for cell, side in zip(cells, padded, strict=True)
    )
    return Markup("<tr>{}</tr>").format(Markup().join(drawn))


def _cell(cell: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    if cell.get("type") == "rich_text":
        return rich(cell, names)
    return plainly(words(cell.get("text")) or words(row_in(cell.get("text")).get("text")))


def _side(setting: object) -> str:
    side = words(row_in(setting).get("align"))
    return side if side in _SIDES else "left"

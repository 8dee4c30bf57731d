"""Answers in pages: opaque cursors and the limits of `limit`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, TypeVar

from slackmq.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.emulator.arguments import Arguments

__all__ = ["cursor_at", "cursor_of", "page", "paged_or_numbered"]

T = TypeVar("T")
_LONGEST_PLACE = 30
"""Characters; whatever is longer was not made by `cursor_of`."""


def cursor_of(kind: str, place: str) -> str:
    """An opaque cursor that leads to `place`; the docs' own example is "next_ts:<microseconds>" in base64."""
    return b64encode(f"{kind}:{place}".encode()).decode()


def cursor_at(args: Arguments, kind: str) -> str | None:
    """Where the caller's cursor leads; None if there is none.

    Raises:
        Refusal: invalid_cursor.
    """
    given = args.text("cursor")
    if not given:
        return None
    try:
        name, _, place = b64decode(given.encode(), validate=True).decode().partition(":")
    except ValueError:
        raise Refusal("invalid_cursor") from None
    if name != kind or not 0 < len(place) < _LONGEST_PLACE:
        raise Refusal("invalid_cursor")
    return place


def page(
    args: Arguments, things: Sequence[T], *, default: int, most: int, strict: bool = True
) -> tuple[Sequence[T], str]:
    """The things that the caller's cursor and limit ask for, and the next cursor, "" at the end.

    Args:
        args: the call's arguments.
        things: everything there is, in order.
        default: the limit of a caller who gives none.
        most: the greatest limit.
        strict: False brings a limit outside the bounds back into them, as most of Slack's methods do.

    Raises:
        Refusal: invalid_cursor; invalid_limit.
    """
    place = cursor_at(args, "offset")
    if place is not None and not place.isdecimal():
        raise Refusal("invalid_cursor")
    limit = args.count("limit", default=default) or default
    if not 0 < limit <= most:
        if strict:
            raise Refusal("invalid_limit")
        limit = most if limit > 0 else default
    start = int(place or 0)
    end = start + limit
    return things[start:end], cursor_of("offset", str(end)) if end < len(things) else ""


_PER_PAGE = 100


def paged_or_numbered(args: Arguments, items: Sequence[Any], *, spill: bool = False) -> dict[str, Any]:
    """A reply with `items` as the older methods give them: by cursor and limit, or by `page` and `count`.

    Args:
        args: the call's arguments.
        items: everything there is, in order.
        spill: whether `paging` is that of stars.list.

    Raises:
        Refusal: invalid_cursor.
    """
    if "cursor" in args or "limit" in args:
        part, cursor = page(args, items, default=_PER_PAGE, most=1000, strict=False)
        return {"items": list(part), "response_metadata": {"next_cursor": cursor}}
    count = min(max(args.count("count", default=_PER_PAGE), 1), 1000)
    number = min(max(args.count("page", default=1), 1), 1_000_000)
    pages = max(-(-len(items) // count), 1)
    size = {"per_page": count, "spill": 0} if spill else {"count": count}
    paging = {**size, "total": len(items), "page": number, "pages": pages}
    return {"items": list(items[(number - 1) * count : number * count]), "paging": paging}

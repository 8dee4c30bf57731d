"""Answers in pages: opaque cursors and the limits of `limit`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from slackmq.emulator.arguments import Arguments
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.timestamps import ts_of, window_edge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Span",
    "cursor_at",
    "cursor_of",
    "cursor_of_ts",
    "is_upward",
    "page",
    "paged_or_numbered",
    "span_of",
    "ts_at",
]

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


_TS = "next_ts"


def cursor_of_ts(ts: str) -> str:
    """A cursor that leads to the message with this ts, or to where it would stand: the docs' own example."""
    return cursor_of(_TS, ts.replace(".", ""))


def ts_at(args: Arguments) -> int | None:
    """Where the cursor of a page of messages leads, in microseconds since 1970; None if there is none.

    Raises:
        Refusal: invalid_cursor.
    """
    place = cursor_at(args, _TS)
    if place is not None and not place.isdecimal():
        raise Refusal("invalid_cursor")
    return None if place is None else int(place)


def is_upward(args: Arguments) -> bool:
    """True if the first page of history is the oldest part of the window: with `oldest` alone.

    docs.slack.dev, "Retrieving messages", fetches one message by `oldest`, `inclusive` and a `limit` of 1; the same was
    seen of channels.history (github.com/slackhq/slack-api-docs, issue 4). That the next page is newer is a guess.
    """
    oldest = edge_of(args, "oldest")
    return bool(oldest) and oldest != ts_of(0) and not edge_of(args, "latest")


def edge_of(args: Arguments, name: str) -> str:
    """The ts that `oldest` or `latest` gives; "" if it gives none, or is no number."""
    return window_edge(args.text(name)) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The stretch of time from which a page takes its messages, in microseconds since 1970, both ends included."""

    low: int
    high: int

    def __contains__(self, ts: str) -> bool:
        return self.low <= int(ts.replace(".", "")) <= self.high


def span_of(args: Arguments, reply: Mapping[str, Any], *, upward: bool) -> Span:
    """The stretch that a page of messages covers, up to where the next page begins."""
    oldest, latest = (int(edge_of(args, name).replace(".", "") or -1) for name in ("oldest", "latest"))
    outside = 0 if args.flag("inclusive") else 1
    low, high = oldest + outside if oldest >= 0 else 0, latest - outside if latest >= 0 else 1 << 62
    here = ts_at(args)
    onward = ts_at(Arguments({"cursor": reply.get("response_metadata", {}).get("next_cursor")}))
    if upward:
        return Span(low=max(low, here or 0), high=high if onward is None else min(high, onward - 1))
    return Span(low=low if onward is None else max(low, onward + 1), high=high if here is None else min(high, here))


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

"""What menus, boxes and buttons of Block Kit offer, and what was chosen before anybody touched them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.page.loose import rows, text_in, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slackmq.emulator.page.view import Directory

__all__ = ["Group", "Option", "chosen", "groups_of", "options_in"]

_PEOPLE = ("users_select", "multi_users_select")
_CHANNELS = ("channels_select", "multi_channels_select")
_BOTH = ("conversations_select", "multi_conversations_select")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to choose; `url` is where an overflow menu's entry leads, else ""."""

    text: str
    value: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Options under a heading; "" for none."""

    label: str
    options: tuple[Option, ...]


def groups_of(element: Mapping[str, Any], directory: Directory) -> tuple[Group, ...]:
    """All that an element offers: its own options, or the people and channels of the workspace."""
    kind = element.get("type")
    if kind in _PEOPLE:
        return (Group(label="", options=_named(directory.people, "@")),)
    if kind in _CHANNELS:
        return (Group(label="", options=_named(directory.channels, "#")),)
    if kind in _BOTH:
        both = (Group(label="Channels", options=_named(directory.channels, "#")),)
        return (*both, Group(label="People", options=_named(directory.people, "@")))
    own = tuple(options_in(element.get("options")))
    if kind == "feedback_buttons":
        own = tuple(options_in([element.get("positive_button"), element.get("negative_button")]))
    if own:
        return (Group(label="", options=own),)
    grouped = rows(element.get("option_groups"))
    return tuple(
        Group(label=text_in(row.get("label")), options=tuple(options_in(row.get("options")))) for row in grouped
    )


def options_in(given: object) -> Iterator[Option]:
    """The options of a list of Slack's option objects; what is none is passed over."""
    for row in rows(given):
        yield Option(
            text=text_in(row.get("text")) or str(row.get("value", "")),
            value=str(row.get("value", "")),
            detail=text_in(row.get("description")),
            url=words(row.get("url")),
        )


def chosen(element: Mapping[str, Any], state: Mapping[str, Any]) -> tuple[str, ...]:
    """What an element holds: what was entered, as the view's state tells, else its initial value.

    Args:
        element: the element.
        state: the element's part of the view's state; {} if there is none.
    """
    entered = {key: value for key, value in state.items() if key != "type"}
    initial = {key: value for key, value in element.items() if key.startswith("initial_")}
    values = [text for value in (entered or initial).values() for text in _texts(value)]
    if element.get("type") == "datetimepicker":
        values = [_local(value) for value in values]
    return tuple(values)


def _named(names: Mapping[str, str], sign: str) -> tuple[Option, ...]:
    found = sorted(names.items(), key=lambda named: named[1].lower())
    return tuple(Option(text=f"{sign}{name}", value=ident) for ident, name in found)


def _texts(value: object) -> Iterator[str]:
    """The texts in what an element holds: a text, an option, a rich text, or a list of them."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for one in cast("Sequence[object]", value):
            yield from _texts(one)
    elif isinstance(value, dict):
        row = cast("dict[str, object]", value)
        if row.get("type") == "rich_text":
            yield "".join(_leaves(row))
        elif "value" in row:
            yield str(row["value"])


def _leaves(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        row = cast("dict[str, object]", node)
        if isinstance(row.get("text"), str):
            yield str(row["text"])
        yield from _leaves(row.get("elements"))
    elif isinstance(node, list):
        for one in cast("list[object]", node):
            yield from _leaves(one)


def _local(value: str) -> str:
    """Seconds since 1970 as a browser's box for date and time wants them; "" for what is no time."""
    try:
        return datetime.fromtimestamp(int(value)).astimezone().strftime("%Y-%m-%dT%H:%M")
    except (ValueError, OverflowError, OSError):
        return ""

"""What the blocks of an app must look like, so that everybody after may look into them without asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.emulator.state import Row

__all__ = ["block_problems"]

_LONGEST_ID = 255
"""Characters of a block_id or action_id (docs.slack.dev, "Blocks" and "Block elements")."""
_HOLDERS = frozenset({"actions", "context_actions"})


def block_problems(block: object, pointer: str) -> Iterator[str]:
    """What is wrong with a block, as Slack says it: a sentence and a JSON pointer."""
    if not isinstance(block, dict) or not isinstance(cast("Row", block).get("type"), str):
        yield f"[ERROR] missing required field: type [json-pointer:{pointer}]"
        return
    row = cast("Row", block)
    yield from _id_problems(row, "block_id", pointer)
    if row["type"] == "input" and "element" not in row:
        yield f"[ERROR] missing required field: element [json-pointer:{pointer}]"
    for place in ("element", "accessory"):
        if place in row:
            yield from _element_problems(row[place], f"{pointer}/{place}")
    if row["type"] in _HOLDERS:
        elements: object = row.get("elements")
        if not isinstance(elements, list):
            yield f"[ERROR] missing required field: elements [json-pointer:{pointer}]"
            return
        for index, element in enumerate(cast("list[object]", elements)):
            yield from _element_problems(element, f"{pointer}/elements/{index}")


def _element_problems(element: object, pointer: str) -> Iterator[str]:
    if not isinstance(element, dict) or not isinstance(cast("Row", element).get("type"), str):
        yield f"[ERROR] missing required field: type [json-pointer:{pointer}]"
        return
    row = cast("Row", element)
    yield from _id_problems(row, "action_id", pointer)
    for name in ("options", "initial_options"):
        yield from _list_problems(row, name, pointer)
    yield from _list_problems(row, "option_groups", pointer)
    groups: object = row.get("option_groups")
    for index, group in enumerate(cast("list[object]", groups) if isinstance(groups, list) else ()):
        if isinstance(group, dict):
            yield from _list_problems(cast("Row", group), "options", f"{pointer}/option_groups/{index}")


def _id_problems(row: Row, name: str, pointer: str) -> Iterator[str]:
    ident: object = row.get(name, "")
    if not isinstance(ident, str):
        yield f"[ERROR] must provide a string [json-pointer:{pointer}/{name}]"
    elif len(ident) > _LONGEST_ID:
        yield f"[ERROR] must be less than {_LONGEST_ID + 1} characters [json-pointer:{pointer}/{name}]"


def _list_problems(row: Row, name: str, pointer: str) -> Iterator[str]:
    given: object = row.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in cast("list[object]", given)):
        yield f"[ERROR] must provide an array of objects [json-pointer:{pointer}/{name}]"

"""What the blocks of an app must look like, so that everybody after may look into them without asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slackmq.emulator.state import Row

__all__ = ["HOLDERS", "NESTS", "block_problems", "nested"]

_LONGEST_ID = 255
"""Characters of a block_id or action_id (docs.slack.dev, "Blocks" and "Block elements")."""
HOLDERS = {"actions": "elements", "context_actions": "elements", "card": "actions"}
"""Kind of block -> where the list of its elements stands; a card may have none."""
NESTS = {"carousel": "elements", "container": "child_blocks", "plan": "tasks"}
"""Kind of block -> where the blocks in it stand."""
_DEEPEST = 3


def nested(block: Mapping[str, Any]) -> list[Row]:
    """The blocks within a block; what is none is passed over."""
    given: object = block.get(NESTS.get(str(block.get("type")), ""))
    found = cast("list[object]", given) if isinstance(given, list) else []
    return [cast("Row", one) for one in found if isinstance(one, dict)]


def block_problems(block: object, pointer: str, depth: int = 1) -> Iterator[str]:
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
    yield from _held_problems(row, pointer)
    name = NESTS.get(row["type"], "")
    if name and not isinstance(row.get(name, []), list):
        yield f"[ERROR] must provide an array of objects [json-pointer:{pointer}/{name}]"
    elif name and depth == _DEEPEST:
        yield f"[ERROR] blocks are nested too deeply [json-pointer:{pointer}]"
    elif name:
        for index, child in enumerate(cast("list[object]", row.get(name, []))):
            yield from block_problems(child, f"{pointer}/{name}/{index}", depth + 1)


def _held_problems(row: Row, pointer: str) -> Iterator[str]:
    """What is wrong with the elements that a block holds in a list."""
    name = HOLDERS.get(row["type"], "")
    if not name or (row["type"] == "card" and name not in row):
        return
    elements: object = row.get(name)
    if not isinstance(elements, list):
        yield f"[ERROR] missing required field: {name} [json-pointer:{pointer}]"
        return
    for index, element in enumerate(cast("list[object]", elements)):
        yield from _element_problems(element, f"{pointer}/{name}/{index}")


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

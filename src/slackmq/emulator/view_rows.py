"""Modals and home tabs as Slack writes them, and what is wrong with those that apps send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.block_shape import HOLDERS, NESTS, block_problems
from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slackmq.emulator.call import Call
    from slackmq.emulator.state import App, Row

__all__ = ["checked_view", "hash_of", "numbered", "numbered_block", "view_row"]

LARGEST_VIEW = 250_000
"""Characters of a view as JSON (docs.slack.dev, views.publish, view_too_large)."""

_MOST_BLOCKS = 100
_LONGEST = {"title": 24, "submit": 24, "close": 24}
_TEXTS = {"callback_id": 255, "private_metadata": 3000, "external_id": 255}


def checked_view(call: Call, *, kind: str) -> Row:
    """The argument `view`, if a view of this kind may look so.

    Raises:
        Refusal: invalid_arguments, with a sentence and a JSON pointer for each problem; view_too_large.
    """
    view = call.args.mapping("view", refusal="invalid_arguments")
    if view is None:
        raise _refused(["[ERROR] missing required field: view"])
    if len(json.dumps(view)) > LARGEST_VIEW:
        raise Refusal("view_too_large")
    if problems := list(_problems(view, kind)):
        raise _refused(problems)
    return view


def view_row(call: Call, app: App, given: Row, ident: str, **places: object) -> Row:
    """The whole view; `places` say where it stands among others."""
    home = given["type"] == "home"
    title = {"type": "plain_text", "text": "View Title", "emoji": True} if home else _plain(given["title"])
    return {
        "id": ident,
        "team_id": call.state.seed.team_id,
        "type": given["type"],
        "blocks": numbered(given["blocks"], ident),
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "state": {"values": {}},
        "hash": hash_of(call, ident),
        "title": title,
        "clear_on_close": bool(given.get("clear_on_close", False)),
        "notify_on_close": bool(given.get("notify_on_close", False)),
        "close": _plain(given["close"]) if "close" in given else None,
        "submit": _plain(given["submit"]) if "submit" in given else None,
        "previous_view_id": None,
        "root_view_id": ident,
        "app_id": app.id,
        "external_id": given.get("external_id", ""),
        "app_installed_team_id": call.state.seed.team_id,
        "bot_id": app.bot_id,
        **places,
    }


def hash_of(call: Call, ident: str) -> str:
    """Differs after every change of the view."""
    return f"{call.second}.{derived_id('', ident, call.now)[:8]}"


def numbered(blocks: list[Row], ident: str) -> list[Row]:
    """The blocks with the ids that Slack draws for blocks and elements that have none."""
    return [numbered_block(block, f"{ident}/{index}") for index, block in enumerate(blocks)]


def numbered_block(block: Row, seed: str) -> Row:
    """The block, of a shape that `block_problems` finds nothing wrong with, with the ids that Slack draws."""
    row: Row = {"block_id": derived_id("", seed)[:5], **_written_out(block)}
    for name in ("accessory", "element"):
        if isinstance(row.get(name), dict):
            row[name] = _numbered_element(row[name], f"{seed}/{name}")
    held, nest = HOLDERS.get(row["type"]), NESTS.get(row["type"])
    if held in row:
        row[held] = [_numbered_element(element, f"{seed}/{index}") for index, element in enumerate(row[held])]
    if nest in row:
        row[nest] = [numbered_block(child, f"{seed}/{index}") for index, child in enumerate(row[nest])]
    return row


def _written_out(node: Row) -> Row:
    """The same with what Slack adds to texts that leave it open: it shows emoji, and finds links itself."""
    row: Row = {name: _written_out_value(value) for name, value in node.items()}
    match row:
        case {"type": "plain_text", "text": str()}:
            return {"emoji": True, **row}
        case {"type": "mrkdwn", "text": str()}:
            return {"verbatim": False, **row}
        case _:
            return row


def _written_out_value(value: object) -> object:
    match value:
        case dict():
            return _written_out(cast("Row", value))
        case list():
            return [_written_out_value(each) for each in cast("list[object]", value)]
        case _:
            return value


def _numbered_element(element: Row, seed: str) -> Row:
    if element.get("type") in {"image", "mrkdwn", "plain_text"}:
        return element
    return {"action_id": derived_id("", seed)[:5], **element}


def _plain(text: Mapping[str, Any]) -> Row:
    return {"type": "plain_text", "text": text.get("text", ""), "emoji": bool(text.get("emoji", True))}


def _problems(view: Row, kind: str) -> Iterator[str]:
    if view.get("type") != kind:
        yield f"[ERROR] must be a valid enum value [json-pointer:/view/type] ({kind} is expected here)"
    if kind == "modal" and "title" not in view:
        yield "[ERROR] missing required field: title [json-pointer:/view]"
    for name, most in _LONGEST.items():
        if name in view:
            yield from _text_problems(view[name], most, f"/view/{name}")
    for name, most in _TEXTS.items():
        if not isinstance(view.get(name, ""), str):
            yield f"[ERROR] must provide a string [json-pointer:/view/{name}]"
        elif len(view.get(name, "")) > most:
            yield f"[ERROR] must be less than {most + 1} characters [json-pointer:/view/{name}]"
    yield from _block_problems(view, kind)


def _text_problems(text: object, most: int, pointer: str) -> Iterator[str]:
    if not isinstance(text, dict) or cast("Row", text).get("type") != "plain_text":
        yield f"[ERROR] must provide an object of type plain_text [json-pointer:{pointer}]"
    elif not 1 <= len(str(cast("Row", text).get("text", ""))) <= most:
        yield f"[ERROR] must be less than {most + 1} characters [json-pointer:{pointer}/text]"


def _block_problems(view: Row, kind: str) -> Iterator[str]:
    blocks: object = view.get("blocks")
    if not isinstance(blocks, list):
        yield "[ERROR] missing required field: blocks [json-pointer:/view]"
        return
    rows = cast("list[object]", blocks)
    if len(rows) > _MOST_BLOCKS:
        yield f"[ERROR] no more than {_MOST_BLOCKS} items allowed [json-pointer:/view/blocks]"
    kinds: list[object] = []
    for index, block in enumerate(rows):
        yield from block_problems(block, f"/view/blocks/{index}")
        if isinstance(block, dict):
            kinds.append(cast("Row", block).get("type"))
    if kind == "modal" and "input" in kinds and "submit" not in view:
        yield "[ERROR] missing required field: submit [json-pointer:/view] (a modal with inputs needs it)"


def _refused(problems: list[str]) -> Refusal:
    return Refusal("invalid_arguments", response_metadata={"messages": problems})

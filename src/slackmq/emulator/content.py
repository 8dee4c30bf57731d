"""What a caller wants a message to say: text, blocks, attachments and metadata, checked against Slack's limits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.block_shape import block_problems
from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.text import length, shortened, stored
from slackmq.emulator.view_rows import numbered_block

if TYPE_CHECKING:
    from slackmq.emulator.arguments import Arguments
    from slackmq.emulator.state import Row

__all__ = ["LONGEST_EDIT", "LONGEST_TEXT", "Content", "content_of"]

LONGEST_TEXT = 40_000
"""Characters; Slack cuts the rest off (docs.slack.dev, chat.postMessage, "Truncating content")."""
LONGEST_EDIT = 4_000
"""Characters of `text` that chat.update takes (docs.slack.dev, chat.update, msg_too_long)."""
LONGEST_MARKDOWN = 12_000
"""Characters of `markdown_text` (docs.slack.dev, chat.postMessage)."""
MOST_BLOCKS = 50
LONGEST_BLOCKS = 13_200
"""Characters of text in all blocks; not published, others measured about this many (msg_blocks_too_long)."""
MOST_ATTACHMENTS = 100

_EVENT_TYPE = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A message's content. Of the optional parts, None means that the caller did not give it.

    Attributes:
        metadata: {} removes what was there.
        truncated: True if the end of the text was cut off.
        dressed: the name and picture that a bot shows instead of its own; empty for its own.
    """

    text: str | None
    blocks: list[Row] | None
    attachments: list[Row] | None
    metadata: Row | None
    truncated: bool
    dressed: Row = field(default_factory=dict[str, Any])

    @property
    def empty(self) -> bool:
        """True if there is nothing to show."""
        return not (self.text and self.text.strip()) and not self.blocks and not self.attachments


def content_of(args: Arguments, metadata_size: int) -> Content:
    """The content in a call's arguments.

    Raises:
        Refusal: markdown_text_conflict, invalid_blocks_format, invalid_blocks, msg_blocks_too_long,
            invalid_attachments, too_many_attachments, invalid_metadata_format, metadata_too_large, msg_too_long.
    """
    blocks = _blocks(args)
    text = args.text("text") if "text" in args else None
    if "markdown_text" in args:
        if text is not None or blocks is not None:
            raise Refusal("markdown_text_conflict")
        text = args.text("markdown_text")
        if length(text) > LONGEST_MARKDOWN:
            raise Refusal("msg_too_long")
    kept = None if text is None else shortened(text, LONGEST_TEXT)
    return Content(
        text=None if kept is None else stored(kept, links=args.text("parse") != "none"),
        blocks=blocks,
        attachments=_attachments(args),
        metadata=_metadata(args, metadata_size),
        truncated=kept != text,
    )


def _blocks(args: Arguments) -> list[Row] | None:
    given = args.array("blocks", refusal="invalid_blocks_format")
    if given is None:
        return None
    if len(given) > MOST_BLOCKS or not all(isinstance(block, dict) and "type" in block for block in given):
        raise Refusal("invalid_blocks")
    if sum(map(_weight, given)) > LONGEST_BLOCKS:
        raise Refusal("msg_blocks_too_long")
    return [_identified(block, index) for index, block in enumerate(given)]


def _identified(block: Row, index: int) -> Row:
    """The block with the ids that Slack draws for it and its elements, where it has none."""
    seed = derived_id("", index, block)
    if any(True for _ in block_problems(block, "")):
        return {"block_id": seed[:5], **block}
    return numbered_block({"block_id": seed[:5], **block}, seed)


def _weight(node: object) -> int:
    """Characters of text anywhere in a block."""
    match node:
        case dict():
            inner = cast("dict[str, object]", node)
            text = inner.get("text")
            return (len(text) if isinstance(text, str) else 0) + sum(map(_weight, inner.values()))
        case list():
            return sum(map(_weight, cast("list[object]", node)))
        case _:
            return 0


def _attachments(args: Arguments) -> list[Row] | None:
    given = args.array("attachments", refusal="invalid_attachments")
    if given is None:
        return None
    if not all(isinstance(attachment, dict) for attachment in given):
        raise Refusal("invalid_attachments")
    if len(given) > MOST_ATTACHMENTS:
        raise Refusal("too_many_attachments")
    return [{"id": number, **attachment} for number, attachment in enumerate(given, start=1)]


def _metadata(args: Arguments, size: int) -> Row | None:
    given = args.mapping("metadata", refusal="invalid_metadata_format")
    if not given:
        return given
    kind, payload = given.get("event_type"), given.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise Refusal("invalid_metadata_format")
    if len(json.dumps(payload)) > size:
        raise Refusal("metadata_too_large")
    return {"event_type": kind, "event_payload": payload} if _kept(kind) else None


def _kept(kind: Any) -> bool:
    """Slack silently drops metadata whose type has a dot (reported in bolt-python's issue 863)."""
    return _EVENT_TYPE.fullmatch(kind) is not None

"""What the page makes of blocks that apps may write in any way: always HTML, and no HTML of theirs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slackmq.emulator.block_shape import HOLDERS, NESTS
from slackmq.emulator.page.drawing import Drawing
from slackmq.emulator.page.markdown import markdown
from slackmq.emulator.page.modal import surface
from slackmq.emulator.page.view import Directory

NOBODY = Directory(people={"U1": "bob"}, channels={}, me="U1")
DRAWING = Drawing()
KINDS = [
    *("section", "header", "divider", "image", "context", "input", "rich_text", "markdown", "table", "data_table"),
    *("video", "alert", "file", "task_card", "nonsense", *HOLDERS, *NESTS),
]
ELEMENTS = ["button", "icon_button", "feedback_buttons", "file_input", "url", "overflow", "datepicker", "checkboxes"]
KEYS = [
    *("text", "fields", "elements", "element", "accessory", "actions", "child_blocks", "tasks", "rows", "title"),
    *("options", "positive_button", "sources", "details", "style", "value", "confirm", "filetypes", "column_settings"),
    *("subtitle", "level", "status", "hero_image", "caption", "block_id", "action_id", "max_files", "url", "level"),
]
EVIL = "<img src=x onerror=1>'\"`*_[a](javascript:1)|"
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.just(EVIL), st.sampled_from([*KINDS, *ELEMENTS]))
NODES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries(
            {"type": st.sampled_from([*KINDS, *ELEMENTS, "plain_text", "mrkdwn", "rich_text_section"])},
            optional=dict.fromkeys(KEYS, inner),
        ),
    ),
    max_leaves=12,
)


def drawn(blocks: object) -> str:
    return DRAWING.draw("tab.html", tab=surface({"id": "V1", "blocks": blocks}, NOBODY), oob=False)


@example(kind="actions", block={"elements": [{"type": "button", "style": []}]})
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), NODES, max_size=8))
def test_a_block_of_any_shape_is_drawn_and_its_text_stays_text(kind: str, block: dict[str, Any]) -> None:
    html = drawn([{**block, "type": kind}])
    assert "<img src=x" not in html
    assert not re.search(r"href=\"\s*javascript", html)


@given(st.lists(st.sampled_from([*"*_~`[]()<>|#-+>\n 1.ab", "**", "```", "~~", "](", "| - |", "\n\n", "<@U1>", EVIL])))
def test_markdown_of_any_kind_is_drawn_and_its_text_stays_text(parts: list[str]) -> None:
    html = str(markdown("".join(parts), {"U1": "bob"}))
    assert "<img" not in html
    assert 'javascript:1"' not in html
    for tag in ("b", "i", "s", "code", "ul", "ol", "li", "table", "blockquote", "p"):
        assert len(re.findall(rf"<{tag}[ >]", html)) == html.count(f"</{tag}>"), tag


def test_blocks_within_each_other_end_somewhere() -> None:
    block: dict[str, Any] = {"type": "section", "text": {"type": "plain_text", "text": "deep"}}
    for _ in range(200):
        block = {"type": "container", "child_blocks": [block]}
    assert "deep" not in drawn([block])


@pytest.mark.parametrize("unit", ["[x](", "**a", "> ", "- ", "<", "[", "_a", "~~a", "`a", "|-"])
def test_long_markdown_takes_no_longer_than_it_is_long(unit: str) -> None:
    """Twelve thousand characters, Slack's most; the limit of a test is seconds, and a bad pattern takes minutes."""
    assert markdown((unit * 12_000)[:12_000], {})

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.slack.markup import escape, plain


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("resize a&amp;b", "resize a&b"),
        ("a &lt; b &gt; c", "a < b > c"),
        ("&amp;lt; stays an entity that was typed", "&lt; stays an entity that was typed"),
        ("see <http://example.com|example.com>", "see example.com"),
        ("see <https://example.com/?a=1&amp;b=2>", "see https://example.com/?a=1&b=2"),
        ("write <mailto:a@example.com|a@example.com>", "write a@example.com"),
        ("write <mailto:a@example.com>", "write a@example.com"),
        ("hello <@U123>, <#C123|general> and <!here>", "hello <@U123>, <#C123|general> and <!here>"),
        ("typed: &lt;http://x|y&gt;", "typed: <http://x|y>"),
    ],
)
def test_a_message_reads_as_it_was_typed(stored: str, typed: str) -> None:
    assert plain(stored) == typed


@given(st.text())
def test_escaped_text_comes_back_character_by_character(text: str) -> None:
    assert plain(escape(text)) == text

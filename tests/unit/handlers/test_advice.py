"""What people are told that they can say, and what they probably meant."""

from __future__ import annotations

import re

import pytest

from slackmq.advice import help_text, meant, phrase_of, summary
from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.message import Message
from slackmq.policy import Accept, Ignore

TOGGLE = r"toggle (?P<light>\w+) light"


def typed(text: str) -> Message:
    return Message(channel="C1", ts="1.0", author="U1", text=text, key="C1/1.0")


def explained(*, suggest: bool = True) -> Handlers:
    handlers = Handlers()

    @handlers.listen(TOGGLE)
    def toggle(light: str) -> str:
        """Switch a light on or off.

        More than people need to know.
        """
        return light

    @handlers.task
    def resize(path: str, width: int = 300) -> str:
        """Make a picture smaller."""
        return f"{path} {width}"

    assert toggle is not None
    assert resize is not None
    handlers.explain(suggest=suggest)
    return handlers


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (TOGGLE, "toggle <light> light"),
        (r"(?i)toggle\s+(?P<light>\w+)\s+light", "toggle <light> light"),
        (r"^status$", "status"),
        (r"add (?P<a>\d+) and (?P<b>\d+)", "add <a> and <b>"),
        (r"(yes|no)", None),
        (r"toggle (?P<light>(a|b)+) light", None),
        (r".*", None),
    ],
)
def test_a_pattern_of_words_and_named_groups_is_shown_as_a_phrase(pattern: str, shown: str | None) -> None:
    found = phrase_of(re.compile(pattern))
    assert (found and str(found)) == shown


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("toggel dining light", "toggle dining light"),
        ("toggle dining ligth", "toggle dining light"),
        ("Toggle dining light", "toggle dining light"),
        ("toggle dining light", None),
        ("toggel dining ligth", None),
        ("toggle dining room light", None),
        ("please toggle dining light", None),
        ("good morning everybody", None),
        ("toggle di-ning lihgt", None),
        ("", None),
    ],
)
def test_one_mistyped_word_is_put_right_and_nothing_else(text: str, better: str | None) -> None:
    assert meant(text, [re.compile(TOGGLE), None]) == better


def test_the_help_is_made_of_the_docstrings() -> None:
    handlers = explained()
    bound = handlers.bind(typed("Help"))
    assert bound.handler.function() == (
        "You can say:\n"
        "• `toggle <light> light`: Switch a light on or off.\n"
        "• `help`: Show this.\n"
        "Programs post:\n"
        "• `resize(path: str, width: int = 300)`: Make a picture smaller."
    )


def test_a_typo_is_answered_and_talk_is_not() -> None:
    handlers = explained()
    assert isinstance(handlers.select(typed("toggel dining light")), Accept)
    bound = handlers.bind(typed("toggel dining light"))
    assert bound.handler.function(**bound.arguments) == "Did you mean `toggle dining light`?"
    assert isinstance(handlers.select(typed("good morning")), Ignore)
    assert isinstance(explained(suggest=False).select(typed("toggel dining light")), Ignore)


def test_without_being_asked_for_there_is_neither_help_nor_suggestion() -> None:
    handlers = Handlers()
    handlers.listen(TOGGLE)(lambda light: light)
    for text in ("help", "toggel dining light"):
        assert isinstance(handlers.select(typed(text)), Ignore)


def test_help_is_explained_once() -> None:
    with pytest.raises(ConfigurationError, match="Two functions listen"):
        explained().explain()


def test_a_long_help_is_cut_and_a_docstring_is_one_line() -> None:
    assert len(help_text([("x" * 200, summary)] * 100, [])) < 3_100

    def documented() -> None:
        """One
        line.

        Two.
        """

    assert summary(documented) == "One line."
    assert summary(lambda: None) == ""

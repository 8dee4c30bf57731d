"""Advice to people: what they can say, from the handlers' docstrings, and what they probably meant."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Explained = tuple[str, Callable[..., object]]

__all__ = ["Phrase", "did_you_mean", "help_text", "meant", "phrase_of", "said_to", "summary"]

_GROUP = re.compile(r"\(\?P<(\w+)>((?:[^()\\]|\\.)*)\)")
"""A named group without groups inside."""
_WORD = re.compile(r"[\w'-]+")
_LEAST = 4
"""Letters that a mistyped word has at least: shorter ones are too much like others."""
_ALIKE = 0.75
"""How much a mistyped word is like the right one, by `difflib`, at least."""
_LONGEST = 3_000
"""Characters of the help; Slack shows some 4,000 of a message (docs.slack.dev/reference/methods/chat.postMessage)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What people say to a handler, word by word.

    Attributes:
        words: a word as it stands, or None where an argument stands.
        patterns: for each word that is an argument, what it must look like.
        names: for each word that is an argument, its name.
    """

    words: tuple[str | None, ...]
    patterns: tuple[str, ...]
    names: tuple[str, ...]

    def __str__(self) -> str:
        names = iter(self.names)
        return " ".join(f"<{next(names)}>" if word is None else word for word in self.words)


@functools.lru_cache(maxsize=1024)  # asked of every message that nobody listens to
def phrase_of(pattern: re.Pattern[str]) -> Phrase | None:
    """The phrase behind a pattern; None if the pattern is no row of words and named groups."""
    patterns: list[str] = []
    names: list[str] = []

    def group(found: re.Match[str]) -> str:
        names.append(found[1])
        patterns.append(found[2])
        return "\0"

    rest = re.sub(r"^\(\?[a-z]+\)", "", pattern.pattern)
    rest = _GROUP.sub(group, rest).replace(r"\s+", " ").replace(r"\s*", " ").strip("^$ ")
    words = rest.split()
    if not words or any(word != "\0" and not _WORD.fullmatch(word) for word in words):
        return None
    return Phrase(
        words=tuple(None if word == "\0" else word for word in words), patterns=tuple(patterns), names=tuple(names)
    )


def said_to(pattern: re.Pattern[str] | None) -> str:
    """What people say to a listener: its phrase, or its pattern as it is."""
    return str(pattern and (phrase_of(pattern) or pattern.pattern))


def did_you_mean(words: str) -> str:
    """The answer to a mistyped phrase."""
    return f"Did you mean `{words}`?"


def meant(text: str, patterns: Iterable[re.Pattern[str] | None]) -> str | None:
    """What somebody probably meant who mistyped one word of a phrase; None if that is not what happened."""
    best: tuple[float, str] | None = None
    for pattern in patterns:
        phrase = phrase_of(pattern) if pattern else None
        found = _one_word_off(text.split(), phrase) if phrase else None
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return None if best is None else best[1]


def _one_word_off(typed: list[str], phrase: Phrase) -> tuple[float, str] | None:
    """How alike, and the words as they should be."""
    if len(typed) != len(phrase.words):
        return None
    patterns = iter(phrase.patterns)
    right: list[str] = []
    alike: list[float] = []
    for said, word in zip(typed, phrase.words, strict=True):
        if word is None:
            if not re.fullmatch(next(patterns), said):
                return None
        elif said != word:
            alike.append(difflib.SequenceMatcher(None, said.lower(), word.lower()).ratio())
            if alike[-1] < _ALIKE or len(word) < _LEAST:
                return None
        right.append(said if word is None else word)
    return (alike[0], " ".join(right)) if len(alike) == 1 else None


def help_text(said: Iterable[Explained], posted: Iterable[Explained]) -> str:
    """The help.

    Args:
        said: what people can say, and what does it.
        posted: what programs can post, and what does it.
    """
    lines = ["You can say:", *(_line(*entry) for entry in said)]
    tasks = [_line(*entry) for entry in posted]
    if tasks:
        lines += ["Programs post:", *tasks]
    text = "\n".join(lines)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def summary(function: Callable[..., object]) -> str:
    """The first sentence of a function's docstring, or what stands before its first empty line; "" without one."""
    first = (inspect.getdoc(function) or "").split("\n\n", 1)[0]
    return " ".join(first.split())


def _line(what: str, function: Callable[..., object]) -> str:
    does = summary(function)
    return f"• `{what}`" + (f": {does}" if does else "")

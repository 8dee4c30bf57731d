"""The judge of `slackmq demo state`: what it accepts, and that it notices each thing that may be lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from slackmq.cli.lamp_tally import Reading, sentences, wrong
from slackmq.kv.entry import Change, Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.message import Json

NOON = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
SAID: list[Mapping[str, str]] = [
    {"value": "on", "revision": "2"},
    {"value": "on", "revision": "2", "author": "U1"},
    {"value": "on", "revision": "2", "author": "U1"},
]


def change(key: str, value: Json, revision: int, author: str) -> Change:
    entry = Entry(key=key, value=value, revision=revision, first=1, created=NOON, modified=NOON, author=author)
    return Change(key=key, kind=Kind.PUT, revision=revision, entry=entry)


def reading() -> Reading:
    lamps = [change("lamp", "off", 1, "U1"), change("lamp", "on", 2, "U1")]
    counts = [change("counter", 120, 3, "U1"), change("counter", 200, 4, "U2")]
    return Reading(lamp=lamps[-1].entry, lamps=lamps, counter=counts[-1].entry, counts=counts)


def test_what_is_the_same_after_the_restart_holds() -> None:
    assert wrong(reading(), reading(), SAID, setter="U1", count=200) == []
    said = "\n".join(sentences(reading(), [], {"U1": "bot-1", "U2": "bot-2"}))
    assert "lamp on, set by bot-1, 2 changes · counter 200, by bot-1 and bot-2, 2 writes" in said


def entry(reading: Reading) -> Entry:
    assert reading.lamp is not None
    return reading.lamp


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        (lambda after: replace(after, lamp=None), "the lamp is not there"),
        (lambda after: replace(after, lamp=replace(entry(after), value="off")), "is off in revision 2 by U1 after"),
        (lambda after: replace(after, lamp=replace(entry(after), author="U2")), "by U2 after the restart"),
        (lambda after: replace(after, lamps=after.lamps[1:]), "the history of the lamp is another one"),
        (lambda after: replace(after, counter=None), "the counter stands at nothing after the restart"),
        (lambda after: replace(after, counter=after.counts[0].entry), "the counter stands at 120 after the restart"),
    ],
)
def test_what_the_restart_lost_is_named(lost: Callable[[Reading], Reading], says: str) -> None:
    found = wrong(reading(), lost(reading()), SAID, setter="U1", count=200)
    assert len(found) == 1
    assert says in found[0]
    assert f"  WRONG: {found[0]}" in sentences(reading(), found, {})


def test_bots_that_tell_something_else_are_noticed() -> None:
    said = [SAID[0], {**SAID[1], "author": "U2"}, {**SAID[2], "value": "off"}]
    assert wrong(reading(), reading(), said, setter="U1", count=200) == [
        "a bot said that U2 set the lamp",
        "a bot said that the lamp is off, in revision 2",
    ]


def test_a_counter_that_one_bot_raised_alone_shows_nothing() -> None:
    alone = replace(reading(), counts=reading().counts[:1])
    assert wrong(alone, reading(), SAID, setter="U1", count=200) == ["the counter was not raised by two bots"]


def test_the_setter_is_the_one_that_was_asked() -> None:
    assert "its author is U1" in wrong(reading(), reading(), SAID[:1], setter="U2", count=200)[0]

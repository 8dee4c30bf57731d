"""Judges `slackmq demo state` by what a stranger to its bots reads from the channel, before and after they all died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.kv.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slackmq.kv.entry import Change, Entry

__all__ = ["Reading", "sentences", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the store held at a moment.

    Attributes:
        lamp: the key as it stood; None if it was not there.
        lamps: all that happened to it.
        counter: the key as it stood; None if it was not there.
        counts: all that happened to it.
    """

    lamp: Entry | None
    lamps: Sequence[Change]
    counter: Entry | None
    counts: Sequence[Change]


def wrong(
    before: Reading, after: Reading, answers: Sequence[Mapping[str, str]], *, setter: str, count: int
) -> list[str]:
    """What does not hold, in words.

    Args:
        before: read by a stranger before the bots were killed.
        after: read by another one, when they were back.
        answers: what the bots said of the lamp, in order: value, revision, and author but for the first.
        setter: user id of the bot that set the lamp last.
        count: what the counter must stand at.
    """
    return [*_of_the_lamp(before, after, answers, setter), *_of_the_counter(before, after, count)]


def _of_the_lamp(before: Reading, after: Reading, answers: Sequence[Mapping[str, str]], setter: str) -> Iterator[str]:
    if before.lamp is None or after.lamp is None:
        yield "the lamp is not there"
        return
    if before.lamp != after.lamp:
        yield f"the lamp was {_shown(before.lamp)}, and is {_shown(after.lamp)} after the restart"
    if before.lamp.author != setter:
        yield f"the lamp was set by {setter}, and its author is {before.lamp.author}"
    if [each.revision for each in before.lamps] != [each.revision for each in after.lamps]:
        yield "the history of the lamp is another one after the restart"
    for said in answers:
        if (said["value"], said["revision"]) != (before.lamp.value, str(before.lamp.revision)):
            yield f"a bot said that the lamp is {said['value']}, in revision {said['revision']}"
        if said.get("author", setter) != setter:
            yield f"a bot said that {said['author']} set the lamp"


def _of_the_counter(before: Reading, after: Reading, count: int) -> Iterator[str]:
    for when, reading in (("", before), (" after the restart", after)):
        if reading.counter is None or reading.counter.value != count:
            found = _words(reading.counter.value) if reading.counter else "nothing"
            yield f"the counter stands at {found}{when}, and not at {count}"
    if len(_writers(before)) < 2:  # noqa: PLR2004  # two were asked to
        yield "the counter was not raised by two bots"


def sentences(before: Reading, faults: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """The verdict, in words.

    Args:
        before: read by a stranger before the bots were killed.
        faults: what does not hold.
        names: user id -> name of the bots.
    """
    lines = [""]
    if before.lamp is not None and before.counter is not None:
        who = " and ".join(sorted(names.get(each, each) for each in _writers(before)))
        setter = names.get(before.lamp.author, before.lamp.author)
        lines.append(
            f"lamp {_words(before.lamp.value)}, set by {setter}, {len(before.lamps)} changes · "
            f"counter {_words(before.counter.value)}, by {who}, {len(before.counts)} writes"
        )
    if not faults:
        lines.append("All of it was still there when the bots came back to an empty folder: the channel has it.")
    lines += [f"  WRONG: {fault}" for fault in faults]
    return [*lines, "Read by two programs that knew nothing but the channel, not told by the bots."]


def _writers(reading: Reading) -> set[str]:
    return {each.entry.author for each in reading.counts if each.kind is Kind.PUT and each.entry is not None}


def _shown(entry: Entry) -> str:
    return f"{_words(entry.value)} in revision {entry.revision} by {entry.author}"


def _words(value: object) -> str:
    return str(value)

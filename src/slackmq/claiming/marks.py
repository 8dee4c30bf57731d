"""The emoji that a queue puts on a message, and what they say about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from slackmq.envelope import JOB, is_finished
from slackmq.message import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.slack.api import Row

__all__ = ["CLOCKS", "Marks", "Reading"]

CLOCKS = (
    *(f"clock{hour}" for hour in range(1, 13)),
    *(f"clock{hour}30" for hour in range(1, 13)),
)
"""The 24 clock faces of Unicode under Slack's names: one o'clock is the first generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the marks on a message say.

    Attributes:
        generation: the highest generation that was ever claimed, 0 if none was.
        ended: how the job ended, None if it did not.
        cancelled: somebody wants it cancelled.
        first: somebody wants it to be the next one.
    """

    generation: int = 0
    ended: Outcome | None = None
    cancelled: bool = False
    first: bool = False


_UNMARKED = Reading()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Which emoji stand for what. Every process that works a channel must use the same.

    A generation's emoji is put on once and never removed, so that each is a register that is written once.

    Attributes:
        generations: one emoji for each claim or extension, in order; when they are used up, nobody can claim. Twenty,
            because one user may put only so many emoji on one message (Slack's `too_many_reactions`, whose number is
            not published; about 23 were seen), and the last ones must be left for `done` and `dead`.
        done: the work succeeded.
        dead: it will not be tried again.
        watched: whoever pinned a message has also said so in a way that no unpinning wipes away.
        cancel: somebody wants it cancelled: nobody begins it any more, and who works on it stops. Its end is `dead`,
            so that whoever does not know this mark leaves the job alone too.
        first: it goes before all others that wait.
    """

    generations: tuple[str, ...] = CLOCKS[:20]
    done: str = "white_check_mark"
    dead: str = "x"
    watched: str = "eyes"
    cancel: str = field(default="no_entry_sign", repr=False)  # claims are safe where it differs: no part of the setting
    first: str = field(default="arrow_up", repr=False)  # likewise

    def generation(self, emoji: str) -> int:
        """The generation that an emoji stands for, 0 if it stands for none."""
        return self.generations.index(emoji) + 1 if emoji in self.generations else 0

    def outcome(self, emoji: str) -> Outcome | None:
        """The end that an emoji stands for, None if it stands for none."""
        if emoji == self.done:
            return Outcome.DONE
        return Outcome.DEAD if emoji == self.dead else None

    def of(self, outcome: Outcome) -> str:
        """The emoji that says how a message ended."""
        return self.dead if outcome is Outcome.DEAD else self.done

    def read(self, reactions: Mapping[str, frozenset[str]], user: str) -> Reading:
        """What the marks of one bot user say; other people's emoji mean nothing."""
        mine = [emoji for emoji, users in reactions.items() if user in users]
        if not mine:
            return _UNMARKED
        ended = next((outcome for emoji in mine if (outcome := self.outcome(emoji))), None)
        highest = max(map(self.generation, mine), default=0)
        return Reading(generation=highest, ended=ended, cancelled=self.cancel in mine, first=self.first in mine)

    def of_row(self, row: Row, user: str) -> Reading:
        """What one bot user says of a message, by its marks and, if it posted the message itself, by its words."""
        reading = self.read(row.reactions, user)
        if row.user == user and row.metadata is not None and row.metadata.type == JOB:
            return replace(reading, ended=Outcome.DONE) if is_finished(row.metadata.payload) else reading
        return reading

"""Judges `slackmq demo retrofit`: how many answers each message got, as the bot was and with one line more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.cli.retrofit import ACTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from slackmq.cli.retrofit import Run

__all__ = ["Outcome", "sentences", "wrong"]

_BEFORE, _AFTER = "as it was", "with the line"
_WIDTH = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the messages of a run.

    Attributes:
        run: the run.
        answers: of each message, how many answers there are.
        killed: whether a process was killed at work.
    """

    run: Run
    answers: Sequence[int]
    killed: bool

    @property
    def never(self) -> int:
        """How many messages have no answer."""
        return sum(count == 0 for count in self.answers)

    @property
    def often(self) -> int:
        """How many have several."""
        return sum(count > 1 for count in self.answers)

    @property
    def holds(self) -> bool:
        """Whether each has one."""
        return not self.never and not self.often

    @property
    def words(self) -> str:
        """The same in words."""
        if self.holds:
            return "one answer each"
        parts = [(self.often, "answered more than once"), (self.never, "never answered")]
        return ", ".join(f"{count} {what}" for count, what in parts if count)


def wrong(outcomes: Iterable[Outcome]) -> list[str]:
    """What did not come out, in words; nothing if each act shows what is wrong with the bot, and the line mends it."""
    faults: list[str] = []
    for outcome in outcomes:
        act = outcome.run.act
        if act.kills and not outcome.killed:
            faults.append(f"{act.name}: no process came to work in {outcome.run.channel} that could be killed")
        if outcome.run.line and not outcome.holds:
            faults.append(f"{act.name}: with the line, {outcome.words}")
        if not outcome.run.line and not (outcome.never if act.kills else outcome.often):
            faults.append(f"{act.name}: without the line, {outcome.words}, which shows nothing")
    return faults


def sentences(outcomes: Sequence[Outcome], faults: Sequence[str]) -> list[str]:
    """The tally side by side, and the verdict."""
    rows = [f"{'':<{_WIDTH + 10}}{_BEFORE:<{_WIDTH}}{_AFTER}"]
    for act in ACTS:
        found: Mapping[bool, Outcome] = {each.run.line: each for each in outcomes if each.run.act is act}
        cells = [_cell(found.get(line)) for line in (False, True)]
        rows.append(f"{act.name:<{_WIDTH + 10}}{cells[0][0]:<{_WIDTH}}{cells[1][0]}")
        rows.append(f"{'':<{_WIDTH + 10}}{cells[0][1]:<{_WIDTH}}{cells[1][1]}")
    verdict = ["", "Counted in the workspace's own record, not told by the bots."]
    if not faults:
        verdict.append("Your own bot: pip install 'slackmq[bolt]', and docs/how-to/bolt.md.")
    return ["", *rows, *[f"  WRONG: {fault}" for fault in faults], *verdict]


def _cell(outcome: Outcome | None) -> tuple[str, str]:
    if outcome is None:
        return "was not reached", ""
    return f"{len(outcome.answers)} messages, {sum(outcome.answers)} answers", outcome.words

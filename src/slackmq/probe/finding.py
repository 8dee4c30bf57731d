"""What a probe found: a verdict on one axiom, how often it was tried, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AXIOMS", "ONE_APP", "Finding", "Verdict", "not_probed"]

ONE_APP = "Set SLACKMQ_SECOND_TOKEN to the bot token of another app that is a member of the channel."
"""The remedy where there is no second app."""


class Verdict(Enum):
    """How an axiom fared."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_PROBED = "not probed"
    NOTED = "noted"


AXIOMS: Mapping[str, str] = {
    "P1": "of several clients that add one emoji at once, one is told yes",
    "P2": "of several clients that pin one message at once, one is told yes",
    "P3": "a read shows every message that was posted the skew before",
    "P4": "a read shows every emoji that was added the skew before",
    "P5": "timestamps are unique, and rise with the order of the posts",
    "P6": "client_msg_id (for information: nothing rests on it)",
    "P7": "an event that is delivered twice says so",
    "P8": "the Date header and the timestamps are one clock",
    "P9": "a message takes as many emoji as the queue needs",
}
"""Probe -> what it tries out, in the order of trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict.

    Attributes:
        probe: "P1" to "P9".
        verdict: whether the axiom holds.
        tries: how often it was tried.
        broken: in how many of them it did not hold.
        detail: what was seen, in a sentence.
        remedy: what to do about it; "" if there is nothing to do.
        unprobed: what of the axiom could not be tried, and what is missing for that; "" if all was.
        numbers: what was measured, by name; those that end in "_s" are seconds.
    """

    probe: str
    verdict: Verdict
    tries: int = 0
    broken: int = 0
    detail: str = ""
    remedy: str = ""
    unprobed: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def axiom(self) -> str:
        """What was tried out."""
        return AXIOMS[self.probe]

    @property
    def bound(self) -> float | None:
        """With 95 % confidence the axiom fails in a smaller part of all cases than this; None if it did fail.

        That is the rule of three: no failure in n tries leaves room for a rate of 3/n.
        """
        return min(1.0, 3 / self.tries) if self.tries and not self.broken else None


def not_probed(probe: str, detail: str, remedy: str = "") -> Finding:
    """A finding that says why there is none."""
    return Finding(probe=probe, verdict=Verdict.NOT_PROBED, detail=detail, remedy=remedy)

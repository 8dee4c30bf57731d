"""P9: how many emoji of one user a message takes, and whether a channel takes pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.claiming.marks import CLOCKS, Marks
from slackmq.errors import MissingScope, TooManyPins, TooManyReactions
from slackmq.probe.finding import Finding, Verdict, not_probed
from slackmq.probe.plan import EMOJI

if TYPE_CHECKING:
    from slackmq.probe.bench import Bench
    from slackmq.probe.plan import Part

__all__ = ["NEEDED", "fill", "judge_capacity"]

NEEDED = len(EMOJI)
"""So many different emoji the queue may put on one message."""
_ENDS = NEEDED - len(Marks().generations)


async def fill(bench: Bench, part: Part, *, pinned: int) -> Finding:
    """P9: put every emoji that the queue uses on one message, and pin a few messages."""
    fitted, pins, full, note = 0, 0, False, ""
    unprobed = "" if pinned else "Pins were not tried. Give it more calls."
    with bench.allowing(part.calls):
        ts = (await bench.post("how many emoji fit?")).ts
        try:
            for emoji in EMOJI:
                await bench.call("reactions.add", {"channel": bench.channel, "timestamp": ts, "name": emoji})
                fitted += 1
        except TooManyReactions as error:
            full, note = True, error.code
        try:
            for _ in range(pinned):
                await bench.pin((await bench.post("how many pins fit?")).ts)
                pins += 1
        except (MissingScope, TooManyPins) as error:
            unprobed = f"Only {pins} of {pinned} pins were tried: {error}"
    return judge_capacity(fitted, pins=pins, full=full, note=note, unprobed=unprobed)


def judge_capacity(fitted: int, *, pins: int, full: bool, note: str = "", unprobed: str = "") -> Finding:
    """Whether the queue's emoji fit on a message.

    Args:
        fitted: so many were put on.
        pins: so many messages were pinned at a time.
        full: whether Slack took no more.
        note: what Slack said.
        unprobed: what could not be tried, and why.
    """
    if fitted < NEEDED and not full:
        return not_probed("P9", f"Only {fitted} of {NEEDED} emoji could be tried.")
    detail = f"{fitted} of the {NEEDED} emoji fit, {pins} pins at a time"
    generations = max(1, min(fitted - _ENDS, len(CLOCKS)))
    return Finding(
        probe="P9",
        verdict=Verdict.BROKEN if full else Verdict.HOLDS,
        tries=1,
        broken=int(full),
        detail=f"{detail} ({note})" if note else detail,
        remedy=f"Use fewer claims by emoji: Marks(generations=CLOCKS[:{generations}])." if full else "",
        unprobed=unprobed,
        numbers={"emoji": fitted, "needed": NEEDED, "pins": pins},
    )

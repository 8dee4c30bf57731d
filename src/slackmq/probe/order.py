"""P5 and P8: whether timestamps are unique and rise, and whether the Date header is of the same clock."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import Ambiguous
from slackmq.message import seconds
from slackmq.probe.finding import ONE_APP, Finding, Verdict, not_probed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.probe.bench import Bench, Stamp
    from slackmq.probe.plan import Part

__all__ = ["AHEAD", "BEHIND", "judge_dates", "judge_order", "post_in_pairs"]

AHEAD = 1.0
"""Seconds that a Date header may be ahead of the timestamps: its own resolution."""
BEHIND = 5.0
"""Seconds that it may be behind: the margin that takeovers wait beyond a lease."""


async def post_in_pairs(bench: Bench, pairs: int, part: Part) -> Finding:
    """P5: two apps post at once, again and again."""
    if bench.apps == 1:
        return not_probed("P5", "There is no second app.", ONE_APP)
    begun = len(bench.stamps)

    async def post(app: int) -> None:
        try:
            await bench.post("which is first?", app=app)
        except Ambiguous:
            return

    with bench.allowing(part.calls):
        for _ in range(pairs):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(post, 0)
                tasks.start_soon(post, 1)
    return judge_order(bench.stamps[begun:])


def judge_order(stamps: Sequence[Stamp]) -> Finding:
    """Whether no two posts have one timestamp, and a post that was sent after another's answer has a later one."""
    if len({stamp.app for stamp in stamps}) <= 1:
        return not_probed("P5", "Two apps did not both post.")
    twins = sum(count - 1 for count in Counter(stamp.ts for stamp in stamps).values())
    turned = sum(_turned(stamp, stamps) for stamp in stamps)
    broken = twins + turned
    detail = f"{len(stamps)} posts of two apps"
    if broken:
        detail += f"; {twins} timestamps given twice, {turned} posts with an earlier one than a post before them"
    return Finding(
        probe="P5",
        verdict=Verdict.BROKEN if broken else Verdict.HOLDS,
        tries=len(stamps),
        broken=broken,
        detail=detail,
        remedy='Do not use claim="pin" here: its log rests on the order of timestamps. Please report this.'
        if broken
        else "",
        numbers={"twins": twins, "turned": turned},
    )


def _turned(stamp: Stamp, stamps: Sequence[Stamp]) -> bool:
    return any(other.answered < stamp.sent and seconds(other.ts) > seconds(stamp.ts) for other in stamps)


def judge_dates(stamps: Sequence[Stamp]) -> Finding:
    """P8: whether what a Date header says is over when it comes, and not long over.

    A Date header has whole seconds, rounded down. Its moment is over if no post that is sent afterwards gets an
    earlier timestamp; it is late by as much as its own post's timestamp is beyond its second.
    """
    dated = sorted((stamp for stamp in stamps if stamp.date is not None), key=lambda stamp: stamp.sent)
    # Posts whose calls overlap say nothing of each other.
    followed = [(one, two) for one, two in pairwise(dated) if one.answered <= two.sent]
    if not followed:
        return not_probed("P8", "No Date header came, or no two posts in a row.", "Look at what stands before Slack.")
    ahead = [(one.date or 0.0) - seconds(two.ts) for one, two in followed]
    behind = [seconds(stamp.ts) - (stamp.date or 0.0) - 1.0 for stamp in dated]
    broken = sum(by > AHEAD for by in ahead) + sum(by > BEHIND for by in behind)
    most_ahead, most_behind = max(0.0, *ahead), max(0.0, *behind)
    detail = f"{len(dated)} posts; the header is at most {most_ahead:.1f} s ahead and {most_behind:.1f} s behind"
    return Finding(
        probe="P8",
        verdict=Verdict.BROKEN if broken else Verdict.HOLDS,
        tries=len(dated),
        broken=broken,
        detail=detail,
        remedy="A proxy may rewrite the header: reach Slack without it, or set its clock." if broken else "",
        numbers={"ahead_s": most_ahead, "behind_s": most_behind},
    )

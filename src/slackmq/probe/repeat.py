"""P6: what Slack makes of one client_msg_id that is sent twice. For information: nothing rests on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.errors import Refused
from slackmq.probe.finding import Finding, Verdict

if TYPE_CHECKING:
    from slackmq.probe.bench import Bench
    from slackmq.probe.plan import Part

__all__ = ["judge_repeat", "post_twice"]


async def post_twice(bench: Bench, part: Part) -> Finding:
    """P6: post one message twice under one client_msg_id, which Slack documents for nobody."""
    digits = bench.clock.new_id()
    ident = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
    seen: list[str] = []
    with bench.allowing(part.calls):
        for _ in range(2):
            try:
                seen.append((await bench.post("sent twice", client_msg_id=ident)).ts)
            except Refused as error:
                seen.append(error.code)
    return judge_repeat(seen)


def judge_repeat(seen: list[str]) -> Finding:
    """What it means.

    Args:
        seen: the timestamp of each post, or the code with which it was refused.
    """
    match seen:
        case [one, two] if not two[:1].isdigit():
            detail = f"the second post was refused ({two})"
        case [one, two] if one == two:
            detail = "two posts made one message"
        case [_, _]:
            detail = "two posts made two messages"
        case _:
            return Finding(probe="P6", verdict=Verdict.NOT_PROBED, detail="It could not be posted twice.")
    return Finding(probe="P6", verdict=Verdict.NOTED, tries=1, detail=detail)

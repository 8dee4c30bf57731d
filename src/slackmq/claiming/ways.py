"""Each way to be the only one, made from what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from slackmq.claiming.logged import Logged
from slackmq.claiming.native import NativeClaiming
from slackmq.claiming.pin import PinClaiming
from slackmq.claiming.reaction import ReactionClaiming

if TYPE_CHECKING:
    from slackmq.claiming.marks import Marks
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming, Way
    from slackmq.clock import Clock
    from slackmq.policy import Timing
    from slackmq.slack.api import Slack

__all__ = ["claiming_by"]


def claiming_by(
    way: Way, slack: Slack, thread: Thread, *, marks: Marks, timing: Timing, clock: Clock, worker: str
) -> Claiming:
    """Claims in a way.

    Args:
        way: which.
        slack: the workspace.
        thread: where notes go.
        marks: which emoji stand for what.
        timing: the time constants.
        clock: the time of this process.
        worker: the name under which it writes.
    """
    logged = Logged(slack, thread, clock=clock, skew=timing.skew.total_seconds(), worker=worker)
    match way:
        case "reaction":
            return ReactionClaiming(slack, logged, marks=marks, timing=timing, clock=clock)
        case "native":
            return NativeClaiming(slack, logged, marks=marks, timing=timing, clock=clock)
        case "pin":
            return PinClaiming(slack, logged, thread, marks=marks, timing=timing, clock=clock, worker=worker)
        case _ as unreachable:
            assert_never(unreachable)

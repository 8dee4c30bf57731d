"""Times for tests: the claim of a holder that died lapses within seconds."""

from __future__ import annotations

from datetime import timedelta

from slackmq.policy import Timing

__all__ = ["QUICK"]

QUICK = Timing(
    lease=timedelta(seconds=3),
    margin=timedelta(seconds=0.5),
    scan=timedelta(seconds=1),
    quiet=timedelta(seconds=1),
    skew=timedelta(seconds=0.3),
)
"""For `slackmq.App(…, timing=QUICK)` and `exactly_one(…, timing=QUICK)`; the same in all replicas."""

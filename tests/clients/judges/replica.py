"""What replicas of other frameworks' bots have in common: where they run, how fast, and what they tell the test."""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import timedelta

FACTS = json.loads(sys.argv[1])
sys.path += FACTS["path"]  # our package, and what it needs that the framework's environment does not have

from slackmq.policy import Timing  # noqa: E402

LEASE = FACTS.get("lease", 4)
FAST = Timing(
    lease=timedelta(seconds=LEASE or 4),
    margin=timedelta(seconds=0.5),
    skew=timedelta(seconds=0.5),
    scan=timedelta(seconds=1),
    quiet=timedelta(seconds=1),
)
OPTIONS = {**({} if LEASE is None else {"timing": FAST}), **FACTS.get("options", {})}
"""Of the guard; a lease that is None leaves its time constants as they are shipped."""


def tell(**said: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"tell: {json.dumps(said)}\n")  # in one piece: there are several threads
    sys.stdout.flush()


def at_work(text: str, attempt: int) -> bool:
    """Tell the test what is begun; whether the replica is to hang now, until it is killed."""
    tell(ran=text, attempt=attempt, by=os.getpid())
    return "slow" in text and attempt == 1


def hang() -> None:
    """Until it is killed."""
    threading.Event().wait()

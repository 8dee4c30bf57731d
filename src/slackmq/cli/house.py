"""The app of `slackmq demo`: a house whose lights people toggle and whose plants a program waters.

Its handlers act upon a file, so that what they did can be held against what the workspace recorded.
"""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

from slackmq.app import App
from slackmq.cli.target import Target
from slackmq.errors import ConfigurationError
from slackmq.job import Job  # noqa: TC001  # handlers are bound by their annotations
from slackmq.policy import Timing

__all__ = ["TARGET", "TIMING", "app"]

TARGET = "SLACKMQ_DEMO_TARGET"
"""Environment variable with the path of the file."""

TIMING = Timing(
    lease=timedelta(seconds=8), margin=timedelta(seconds=2), scan=timedelta(seconds=4), skew=timedelta(seconds=1)
)
"""Shorter than as shipped, so that a takeover can be watched: lease, margin and a second look are about 12 s."""

app = App(channel="#homeops", timing=TIMING)

_LOOK = 0.05
_TOGGLING = 0.2


@app.listen(r"toggle (?P<light>\w+) light")
def toggle(light: str, job: Job) -> str:
    """A person types "toggle dining light"."""
    _act(job, _TOGGLING)
    return f"{light} light toggled"


@app.task
def water(job: Job, plant: str, seconds: float) -> str:
    """A program posts it: water a plant for some seconds."""
    _act(job, seconds)
    return f"{plant} has had {seconds:g} s of water"


def _act(job: Job, seconds: float) -> None:
    """One line when it begins, and one when it is done, unless it was told to stop."""
    path = os.environ.get(TARGET)
    if not path:
        raise ConfigurationError(f"{TARGET} is not set.", remedy="Run the house by `slackmq demo`.")
    target = Target(Path(path))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    pause = threading.Event()
    for _ in range(round(seconds / _LOOK)):
        if job.cancelled:
            return
        pause.wait(_LOOK)
    target.write("end", key=job.key, token=job.token, attempt=job.attempt)

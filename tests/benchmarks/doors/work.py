"""What a handler does besides its answer: it writes down that it worked, and meets the misfortune of its text.

It is copied beside the bots and imports nothing that an interpreter of theirs might lack. A line of the file is one
JSON object; `done` is the effect that must happen once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = re.compile(r"toggle ([a-z]+)\d+ light")


def work(text: str, context: Mapping[str, Any] | None) -> None:
    """Meet the misfortune that the text names, at the first attempt, and have the effect.

    Raises:
        ValueError: the text says so.
    """
    found = _TEXT.search(text)
    said = context or {"attempt": 1, "token": 0}
    deed = _Deed(found[0] if found else text, attempt=said["attempt"], token=said["token"])
    kind = found[1] if found and (said["attempt"] == 1 or found[1] == "broken") else "calm"
    deed.tell("begun")
    if kind in {"raise", "broken"}:
        deed.tell("raised")
        raise ValueError("no such lamp")
    if kind == "hang":
        threading.Event().wait(float(os.environ["LEASE"]) * 1.5)
    elif kind == "kill":
        deed.die()
    elif kind == "stop":
        deed.tell("stopped")
        os.kill(os.getpid(), signal.SIGSTOP)
        threading.Event().wait(0.2)  # the signal may reach this thread last
    deed.tell("done")
    if kind == "late":
        deed.die()


class _Deed:
    """One execution of a handler."""

    def __init__(self, text: str, *, attempt: int, token: int) -> None:
        self._facts = {"text": text, "attempt": attempt, "token": token, "by": os.getpid()}

    def tell(self, what: str) -> None:
        """Append a line, which outlives this process."""
        at = time.time()  # noqa: TID251  # judged beside the workspace's record, and written where our clock is not
        line = json.dumps({"what": what, "at": at, **self._facts}) + "\n"
        file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
            os.fsync(file)
        finally:
            os.close(file)

    def die(self) -> None:
        """As by a power cut, and not be heard of again."""
        self.tell("killed")
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

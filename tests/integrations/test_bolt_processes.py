"""The page's bot as three real processes, one of which is killed while its listener is at work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from .bots import FAST, SLOW, Bots
from .test_how_to import blocks_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Troupe

pytestmark = pytest.mark.timeout(120)

LISTENER = f"""{SLOW}
@app.message("slow")
def slow(message, say, context):
    at_work(message["text"], context["slackmq"]["attempt"])
    say(text="at last", thread_ts=message["ts"])

exactly_one(app, "#jobs", {FAST})"""


def test_what_a_killed_replica_had_acknowledged_another_one_does(troupe: Troupe, tmp_path: Path) -> None:
    [code] = blocks_of("bolt.md")
    with closing(Bots(troupe, tmp_path, code.replace('exactly_one(app, "#jobs")', LISTENER))) as bots:
        bots.lose_one_at_work(answer="toggled", slow_answer="at last")

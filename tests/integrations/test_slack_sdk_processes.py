"""The page's listener and its webhook handler as real processes, one of which is killed while it is at work."""

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


def test_what_a_killed_listener_had_acknowledged_another_one_does(troupe: Troupe, tmp_path: Path) -> None:
    socket, _ = blocks_of("slack-sdk.md")
    code = SLOW + socket.replace('matching="^toggle"', f'matching="^(toggle|slow)", {FAST}').replace(
        '    event = request.payload["event"]\n',
        '    event = request.payload["event"]\n'
        '    if event["text"].startswith("slow"):\n'
        '        at_work(event["text"], request.payload["slackmq"]["attempt"])\n',
    )
    with closing(Bots(troupe, tmp_path, code)) as bots:
        bots.lose_one_at_work(answer="toggled", slow_answer="toggled")

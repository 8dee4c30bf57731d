"""The pages on retrofitting show code that runs, as it stands, against a workspace of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slackmq.testing import Workspace

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks_of(page: str) -> list[str]:
    return BLOCKS.findall((PAGES / page).read_text(encoding="utf-8"))


def test_the_code_of_the_page_on_ticks_runs_and_its_assertion_holds(slack_workspace: Workspace) -> None:
    ts = slack_workspace.post("answer me", channel="#jobs")
    code = "\n\n".join([*blocks_of("once-per-tick.md"), f"answer({ts!r})"])
    environment = {**os.environ, **slack_workspace.app.environment}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert [row["text"] for row in slack_workspace.messages("#jobs", thread=ts)][1:] == ["on it"]
    named = [row for row in slack_workspace.messages("#jobs") if row["text"].startswith("slackmq_once(")]
    assert len(named) == 2


def test_the_page_on_the_library_of_2019_runs_as_a_context_manager(slack_workspace: Workspace) -> None:
    ts, channel = slack_workspace.post("answer me", channel="#jobs"), slack_workspace.channel("#jobs")
    _, *blocks = blocks_of("classic.md")
    head = f"from slackmq import slackmq\nAPI_TOKEN = {slack_workspace.app.bot_token!r}"
    tail = f"answer({channel!r}, {ts!r})\nassert callable(take_over)"
    environment = {**os.environ, **slack_workspace.app.environment}
    code = "\n\n".join([head, *blocks, tail])
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "on it\n"), run.stderr
    [row] = [row for row in slack_workspace.messages("#jobs") if row["ts"] == ts]
    assert "white_check_mark" in {reaction["name"] for reaction in row["reactions"]}

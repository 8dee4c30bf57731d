"""Questions to people, asked by real processes that do not live to hear the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
from tests.acceptance.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

WORKER = ("worker", "nap_house:app", "-c", "2")


def posted(stage: Stage) -> list[str]:
    """What was posted, as the workspace's own record tells."""
    calls = anyio.run(stage.workspace.record)
    return [str(call["args"]["text"]) for call in calls if call["ok"] and call["method"] == "chat.postMessage"]


def asked(stage: Stage) -> list[str]:
    return [text for text in posted(stage) if "Go on?" in text]


def test_a_question_outlives_who_asked_it_and_is_asked_once(stage: Stage) -> None:
    stage.lease = timedelta(seconds=4)
    first, user = stage.start(*WORKER), stage.workspace.users[0].id
    done = stage.run("post", "#jobs", "grave", "--arg", f"by={user}")
    assert done.returncode == 0, done.stderr
    ts = stage.ledger().by_key()[done.stdout.split("key ")[1].strip()].ts
    stage.until(lambda: asked(stage))
    first.kill()
    first.wait(timeout=PATIENCE)
    stage.start(*WORKER)
    stage.until(lambda: len(stage.begun()) == 2)
    stage.press(ts, "slackmq_approve")
    stage.until(lambda: f"allowed by {user}" in posted(stage))
    assert len(asked(stage)) == 1

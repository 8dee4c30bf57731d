"""Large bodies and results by file against a workspace over HTTP, also where its answers come late or never."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.app import App
from slackmq.policy import Timing
from slackmq.testing import async_workspace
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.testing.awaiting import AsyncWorkspace

FAST = Timing(scan=timedelta(seconds=0.2), skew=timedelta(seconds=0.2))
LINES = [f"line {number} of a log" for number in range(3_000)]
UPLOAD, SHARE, SHOW, DELETE = (
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
    "files.info",
    "files.delete",
)
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "late": {"latency": 1.0, "slow": 1.0, "methods": (UPLOAD, SHARE)},
    "lost": {"lost_request": 1.0, "methods": (UPLOAD, SHARE)},
    "unanswered": {"lost_answer": 1.0, "methods": (SHARE,)},
    "failed": {"error_after": 1.0, "methods": (SHARE, SHOW)},
    "limited": {"limited": 1.0, "retry_after": 1, "methods": (UPLOAD, SHOW, DELETE)},
}
LEFT = {"unanswered": 2, "failed": 2}
"""Files of which nobody knew that they were put there: they are swept in a week."""


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_large_body_and_a_large_result_come_whole_and_once(fault: str) -> None:
    app, runs = App("#jobs", timing=FAST), list[int]()

    @app.task
    async def numbered(lines: list[str]) -> list[str]:
        runs.append(len(lines))
        return [f"{number}: {line}" for number, line in enumerate(lines)]

    async with (
        async_workspace() as slack,
        app.connected(slack.app.settings) as queue,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(AsyncWorker(queue, app.handlers).run)
        if FAULTS[fault]:
            slack.arm(times=2, **FAULTS[fault])
        found = await numbered.within(timedelta(seconds=15)).ask(LINES)
        assert found == [f"{number}: {line}" for number, line in enumerate(LINES)]
        assert runs == [3_000]
        (job,) = [row for row in slack.messages("#jobs") if row["text"].startswith("numbered(")]
        assert "bytes in a file" in job["text"]
        with anyio.fail_after(10):
            while len(standing(slack)) > LEFT.get(fault, 0):  # noqa: ASYNC110  # no event tells of it
                await anyio.sleep(0.05)
        assert not FAULTS[fault] or sum(slack.suffered.values()) == 2
        tasks.cancel_scope.cancel()


def standing(slack: AsyncWorkspace) -> list[str]:
    """The names of the files of the channel itself that were not deleted."""
    files = [file for row in slack.messages("#jobs") for file in row.get("files", ())]
    return [file["name"] for file in files if file["mode"] != "tombstone"]

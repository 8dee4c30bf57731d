"""Delayed jobs and ticks, done by worker processes that come and go."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from slackmq.cli.target import wall_clock

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

WORKER = ("worker", "nap_house:app", "-c", "2")


@pytest.mark.timeout(60)
def test_a_delayed_job_outlives_every_worker_that_knew_it_and_is_begun_once_and_no_sooner(stage: Stage) -> None:
    first = [stage.start(*WORKER) for _ in range(2)]
    stage.post(0.1)
    stage.until(stage.begun)
    posted = wall_clock()
    done = stage.run("post", "#jobs", "nap", "--arg", "seconds=0.1", "--delay", "4")
    assert done.returncode == 0, done.stderr
    for worker in first:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
    listed = stage.run("ls", "#jobs")
    assert "delayed" in listed.stdout
    for _ in range(2):
        stage.start(*WORKER)
    stage.until(lambda: len(stage.ended()) == 2, within=15)
    begun = stage.begun()
    assert len(begun) == 2
    assert begun[1].at - posted >= 4_000_000

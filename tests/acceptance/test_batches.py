"""Batches, done by worker processes that are killed and told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from slackmq.batch import numbers_in

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

WORKER = ("worker", "nap_house:app", "-c", "2")
POST = """
import anyio
from nap_house import app, nap

async def main():
    async with app.connected():
        print((await nap.keyed("naps").post_batch([{"seconds": 0.5}] * 40)).ts)

anyio.run(main)
"""


def posted(stage: Stage) -> str:
    done = subprocess.run(
        [sys.executable, "-c", POST], cwd=stage.folder, env=stage.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def noted(stage: Stage, ts: str) -> frozenset[int]:
    """The numbers that the thread calls done."""
    done = stage.run("trace", ts, "--channel", "#jobs", "--json")
    assert done.returncode == 0, done.stderr
    return numbers_in(json.loads(done.stdout)["jobs_done"])


def runs(stage: Stage) -> Counter[str]:
    return Counter(str(effect.key) for effect in stage.begun())


@pytest.mark.timeout(120)
def test_who_takes_over_from_a_killed_worker_repeats_only_what_was_not_noted(stage: Stage) -> None:
    first = stage.start(*WORKER)
    ts = posted(stage)
    stage.until(lambda: noted(stage, ts), within=40)
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=10)
    known = noted(stage, ts)
    assert 0 < len(known) < 40
    stage.start(*WORKER)
    stage.until(lambda: "done" in stage.run("ls", "#jobs", "--all").stdout, within=60)
    count = runs(stage)
    assert set(count) == {f"naps/{number}" for number in range(1, 41)}
    assert {count[f"naps/{number}"] for number in known} == {1}


@pytest.mark.timeout(120)
def test_a_worker_that_is_told_to_stop_hands_back_what_it_has_not_begun_and_nothing_runs_twice(stage: Stage) -> None:
    first = stage.start(*WORKER)
    ts = posted(stage)
    stage.until(lambda: len(stage.ended()) > 3, within=40)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=40) == 0
    assert len(noted(stage, ts)) == len(stage.ended()) < 40
    stage.start(*WORKER)
    stage.until(lambda: "done" in stage.run("ls", "#jobs", "--all").stdout, within=60)
    assert runs(stage) == {f"naps/{number}": 1 for number in range(1, 41)}

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

STEPS = """
import os, threading
from pathlib import Path
from nap_house import app
from slackmq.cli.target import Target
from slackmq.job import Job

@app.task
def step(job: Job) -> None:
    Target(Path(os.environ["NAPS"])).write("begin", key=job.key, token=job.token, attempt=job.attempt)
    while job.number > 6 and not Path("go").exists():
        if job.cancelled:
            return
        threading.Event().wait(0.05)
"""
POST = """
import anyio
from steps import app, step

async def main():
    async with app.connected():
        print((await step.keyed("steps").post_batch([{}] * 20)).ts)

anyio.run(main)
"""
WORKER = ("worker", "steps:app", "-c", "2", "--drain", "1")
FIRST = frozenset(range(1, 7))
"""The numbers of the jobs that wait for nothing."""


def posted(stage: Stage) -> str:
    """A batch of twenty steps; returns its ts."""
    command = [sys.executable, "-c", POST]
    done = subprocess.run(command, cwd=stage.folder, env=stage.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def noted(stage: Stage, ts: str) -> frozenset[int]:
    """The numbers that the thread calls done."""
    done = stage.run("trace", ts, "--channel", "#jobs", "--json")
    assert done.returncode == 0, done.stderr
    return numbers_in(json.loads(done.stdout)["jobs_done"])


def is_done(stage: Stage) -> bool:
    listed = stage.run("ls", "#jobs", "--all", "--json").stdout.splitlines()
    return [json.loads(line)["state"] for line in listed] == ["done"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_who_takes_over_repeats_only_what_ran_when_the_former_worker_ended(stage: Stage, blow: signal.Signals) -> None:
    (stage.folder / "steps.py").write_text(STEPS, encoding="utf-8")
    first = stage.start(*WORKER)
    ts = posted(stage)
    stage.until(lambda: len(stage.begun()) == len(FIRST) + 2, within=60)
    if blow is signal.SIGKILL:
        stage.until(lambda: noted(stage, ts) == FIRST, within=60)
    first.send_signal(blow)
    first.wait(timeout=40)
    assert noted(stage, ts) == FIRST
    (stage.folder / "go").touch()
    stage.start(*WORKER)
    stage.until(lambda: is_done(stage), within=90)
    runs = Counter(effect.key for effect in stage.begun())
    assert set(runs) == {f"steps/{number}" for number in range(1, 21)}
    assert {runs[f"steps/{number}"] for number in FIRST} == {1}

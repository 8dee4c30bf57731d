"""SIGTERM after SIGTERM, under load: nothing is lost, repeated or stranded. `nox -s shutdowns` sends 200."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from slackmq.policy import Timing
from slackmq.slack import pacing
from slackmq.slack.connect import Settings
from slackmq.sync import Queue

if TYPE_CHECKING:
    import subprocess

    from tests.acceptance.conftest import Stage

TERMS = int(os.environ.get("SLACKMQ_SIGTERMS", "10"))
WORKERS = 3
PER_TERM = 5
"""Jobs that are posted for each signal: more than a worker has hands."""
HOUSE = """
import os, threading
from datetime import timedelta
from pathlib import Path
from slackmq.app import App
from slackmq.cli.target import Target
from slackmq.job import Job
from slackmq.policy import Timing
from slackmq.slack import pacing

pacing.LIMITS = {method: limit * 100 for method, limit in pacing.LIMITS.items()}  # load is what is wanted here
app = App("#jobs", timing=Timing(scan=timedelta(seconds=1), skew=timedelta(seconds=0.3)))

@app.task(lease=timedelta(seconds=60))
def nap(job: Job, seconds: float) -> str:
    target = Target(Path(os.environ["NAPS"]))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    threading.Event().wait(seconds)
    target.write("end", key=job.key, token=job.token, attempt=job.attempt)
    return "slept"
"""
TIMING = Timing(scan=timedelta(seconds=1), skew=timedelta(seconds=0.3))


def busy(stage: Stage) -> set[int]:
    """The processes in the middle of a job."""
    ended = {effect.key for effect in stage.ended()}
    return {effect.worker for effect in stage.begun() if effect.key not in ended}


@pytest.mark.timeout(120 + 20 * TERMS)
def test_no_job_is_lost_repeated_or_stranded_by_stopping_workers_that_are_at_work(
    unlimited_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = unlimited_stage
    monkeypatch.setattr(pacing, "LIMITS", {method: limit * 100 for method, limit in pacing.LIMITS.items()})
    (stage.folder / "busy_house.py").write_text(HOUSE, encoding="utf-8")
    command = ("worker", "busy_house:app", "-c", "2")
    fleet = {process.pid: process for process in (stage.start(*command) for _ in range(WORKERS))}
    stopped: list[subprocess.Popen[str]] = []
    settings = Settings(token=stage.env["SLACK_BOT_TOKEN"], url=stage.workspace.base_url)
    with Queue("#jobs", settings=settings, timing=TIMING) as queue:
        keys: list[str] = []
        for _ in range(TERMS):
            keys += [queue.post("nap", {"seconds": 0.3 + 0.1 * number}).key for number in range(PER_TERM)]
            stage.until(lambda: busy(stage) & fleet.keys(), within=60)
            process = fleet.pop(next(iter(busy(stage) & fleet.keys() or fleet.keys())))
            process.send_signal(signal.SIGTERM)
            stopped.append(process)
            new = stage.start(*command)
            fleet[new.pid] = new
        stage.until(lambda: len(stage.ended()) >= len(keys), within=120)
        assert [process.wait(timeout=60) for process in stopped] == [0] * TERMS
        stage.until(lambda: len(stage.ledger().done) >= len(keys), within=60)
    assert sorted(effect.key for effect in stage.ended()) == sorted(keys), "none is lost, none is done twice"
    assert sorted(effect.key for effect in stage.begun()) == sorted(keys), "none is begun twice"
    ledger = stage.ledger()
    stranded = {ts for ts, generation in ledger.taken if generation > 1 and (ts, generation - 1) not in ledger.released}
    assert not stranded, "nobody had to wait for a lease to lapse"

"""Delayed jobs and ticks, done by worker processes that come and go."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.acceptance.conftest import PATIENCE

from slackmq.cli.target import wall_clock

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

WORKER = ("worker", "nap_house:app", "-c", "2")


def test_a_delayed_job_outlives_every_worker_that_knew_it_and_is_begun_once_and_no_sooner(stage: Stage) -> None:
    first = [stage.start(*WORKER) for _ in range(2)]
    early = stage.post(0.1)
    stage.until(lambda: early in stage.ledger().done)
    posted = wall_clock()
    done = stage.run("post", "#jobs", "nap", "--arg", "seconds=0.1", "--delay", "6")
    assert done.returncode == 0, done.stderr
    for worker in first:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=PATIENCE)
    listed = stage.run("ls", "#jobs")
    assert "delayed" in listed.stdout or wall_clock() - posted > 6_000_000
    for _ in range(2):
        stage.start(*WORKER)
    stage.until(lambda: len(stage.ended()) == 2)
    begun = stage.begun()
    assert len(begun) == 2
    assert begun[1].at - posted >= 6_000_000


def test_a_chain_goes_on_in_its_order_when_every_worker_is_killed_on_the_way(stage: Stage) -> None:
    def post(*after: str) -> str:
        names = [word for ts in after for word in ("--after", ts)]
        done = stage.run("post", "#jobs", "nap", "--arg", "seconds=0.5", *names, "--json")
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["ts"])

    def standing() -> dict[str, dict[str, object]]:
        return {
            row["ts"]: row for row in map(json.loads, stage.run("ls", "#jobs", "--all", "--json").stdout.splitlines())
        }

    first, second = post(), post()
    both = post(first, second)
    last = post(both)
    assert standing()[both]["after"] == [first, second]
    worker = stage.start(*WORKER)
    stage.until(lambda: standing()[first]["state"] in {"held", "done"}, within=40)
    worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=10)
    for _ in range(2):
        stage.start(*WORKER)
    stage.until(lambda: standing()[last]["state"] == "done", within=60)
    rows = standing()
    assert {rows[ts]["state"] for ts in (first, second, both, last)} == {"done"}
    assert f"after {both}, done" in stage.run("trace", last, "--channel", "#jobs").stdout


CLOCK_HOUSE = """
from datetime import timedelta
from nap_house import app

@app.every(timedelta(seconds=10))
async def chime() -> str:
    return "ding"
"""


def test_three_replicas_post_each_tick_once_also_when_one_of_them_is_killed(stage: Stage) -> None:
    (stage.folder / "clock_house.py").write_text(CLOCK_HOUSE, encoding="utf-8")
    stage.lease = timedelta(seconds=4)  # whoever is killed may be at a tick
    workers = [stage.start("worker", "clock_house:app") for _ in range(3)]

    def chimes(state: str = "") -> list[str]:
        listed = stage.run("ls", "#jobs", "--all", "--json").stdout.splitlines()
        return [row["ts"] for row in map(json.loads, listed) if row["kind"] == "chime" and state in {"", row["state"]}]

    stage.until(lambda: len(chimes("done")) >= 2, within=100)
    workers[0].send_signal(signal.SIGKILL)
    workers[0].wait(timeout=PATIENCE)
    stage.until(lambda: len(chimes("done")) >= 4, within=100)
    assert chimes("duplicate") == []

"""What people see and do who operate a queue, by the command, with real processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage


def told(stage: Stage, *words: str) -> list[dict[str, Any]]:
    """What a command prints as JSON lines."""
    done = stage.run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_waits_is_shown_in_its_order_and_counted_and_left_alone(stage: Stage) -> None:
    plain = stage.post(0)
    urgent = told(stage, "post", "#jobs", "nap", "--arg", "seconds=0", "--priority", "3")[0]["ts"]
    rows = told(stage, "peek", "#jobs")
    assert [(row["ts"], row["priority"], row["body"]) for row in rows] == [
        (urgent, 3, {"seconds": 0}),
        (plain, 0, {"seconds": 0}),
    ]
    assert [row["ts"] for row in told(stage, "peek", "#jobs", "-n", "1")] == [urgent]
    [figures] = told(stage, "stats", "#jobs")
    assert (figures["depth"], figures["in_flight"], figures["done"]) == (2, 0, 0)
    assert stage.ledger().taken == {}


def test_the_life_of_a_job_names_the_worker_that_did_it(stage: Stage) -> None:
    ts = stage.post(0)
    stage.start("worker", "nap_house:app", "--name", "attic")
    stage.until(lambda: ts in stage.ledger().done)
    [life] = told(stage, "trace", ts, "--channel", "#jobs")
    assert [(step["what"], step["by"]) for step in life["steps"]][1:3] == [("claimed", "attic"), ("answered", "attic")]
    assert (life["state"], life["attempts"]) == ("done", 1)
    channel = stage.workspace.channel("jobs").id
    link = f"https://local.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    assert told(stage, "trace", link) == [life]
    shown = stage.run("trace", link).stdout
    assert shown.startswith("nap(seconds=0)\ndone, 1 attempt")
    [figures] = told(stage, "stats", "#jobs")
    assert (figures["depth"], figures["done"]) == (0, 1)

"""Dead letters with real processes: workers that are killed, and the command that posts again what died."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.acceptance.conftest import PATIENCE

if TYPE_CHECKING:
    import pytest
    from tests.acceptance.conftest import Stage

HOUSE = """
import os
from datetime import timedelta
from slackmq.app import App
from slackmq.errors import Reject
from slackmq.job import Job
from slackmq.points import armed
from slackmq.policy import Timing
import slackmq.cli

app = App("#jobs", dead_letters="#general", timing=Timing(
    lease=timedelta(seconds=2), margin=timedelta(seconds=0.5),
    scan=timedelta(seconds=1), skew=timedelta(seconds=0.3),
))

@app.task
async def feed(job: Job, cat: str) -> str:
    if not job.message.origin:
        raise Reject(f"no food for {cat}")
    return f"fed {cat}, {job.key}"

class Killer:
    def reach(self, place: str) -> None:
        if place == os.environ.get("DIES_AT"):
            os.kill(os.getpid(), 9)

    async def pause(self, place: str) -> None:
        self.reach(place)

if __name__ == "__main__":
    with armed(Killer()):
        slackmq.cli.main()
"""


def letters(stage: Stage, *words: str) -> list[dict[str, object]]:
    """What `slackmq dlq ls` shows."""
    done = stage.run("dlq", "ls", "#general", "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_killed_worker_leaves_one_letter_and_the_command_posts_the_job_again_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage.folder / "cats.py").write_text(HOUSE, encoding="utf-8")
    monkeypatch.setenv("DIES_AT", "after_letter")
    doomed = stage.start("worker", "cats:app", program="cats.py")
    done = stage.run("post", "#jobs", "feed", "--arg", 'cat="Tom"', "--key", "tom")
    assert done.returncode == 0, done.stderr
    assert doomed.wait(timeout=PATIENCE) == -9
    assert [letter["state"] for letter in letters(stage)] == ["dead"]
    assert not stage.ledger().dead
    monkeypatch.delenv("DIES_AT")
    stage.start("worker", "cats:app", program="cats.py")
    stage.until(lambda: stage.ledger().dead)
    (letter,) = letters(stage)
    assert (letter["reason"], letter["key"]) == ("no food for Tom", "tom")

    first = stage.run("dlq", "redrive", "#general", str(letter["ts"]), "--json")
    again = stage.run("dlq", "redrive", "#general", str(letter["ts"]), "--json")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert first.stdout == again.stdout
    assert json.loads(first.stdout)["key"] == "tom"
    new = str(json.loads(first.stdout)["job"]).split("/")[1]
    stage.until(lambda: new in stage.ledger().done)
    assert letters(stage) == []
    assert [shown["state"] for shown in letters(stage, "--all")] == ["redriven"]
    assert stage.run("dlq", "redrive", "#general", "--all").stdout == ""


def test_a_letter_that_is_not_there_and_words_that_mean_nothing_end_with_status_2(shared_stage: Stage) -> None:
    for words in (("1764241234.000100",), (), ("--all", "1764241234.000100")):
        done = shared_stage.run("dlq", "redrive", "#general", *words)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2
    assert shared_stage.run("dlq", "ls", "#nowhere").returncode == 3

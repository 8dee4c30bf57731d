"""A job whose arguments are in a file, done by worker processes that are killed on the way."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

HOUSE = """
import os, threading
from pathlib import Path
from slackmq.cli.target import Target
from slackmq.job import Job
from nap_house import app

@app.task
def count_words(job: Job, text: str) -> str:
    target = Target(Path(os.environ["NAPS"]))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    threading.Event().wait(60 if job.attempt == 1 else 0)
    return f"{len(text.split())} words"
"""


@pytest.mark.timeout(180)
def test_who_takes_over_from_a_killed_worker_reads_the_file_and_deletes_it(stage: Stage) -> None:
    stage.lease = timedelta(seconds=4)
    (stage.folder / "word_house.py").write_text(HOUSE, encoding="utf-8")
    body = json.dumps({"text": "word " * 5_000})
    posted = stage.run("post", "#jobs", "count_words", "--body", body)
    assert posted.returncode == 0, posted.stderr
    [row] = [json.loads(line) for line in stage.run("peek", "#jobs", "--json").stdout.splitlines()]
    assert (row["body"], len(row["file"].partition("/")[2])) == ({}, 64)
    first = stage.start("worker", "word_house:app", "-c", "1")
    stage.until(stage.begun, within=60)
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=10)
    stage.start("worker", "word_house:app", "-c", "1")
    stage.until(lambda: row["ts"] in stage.ledger().done, within=60)
    assert "5000 words" in stage.thread(row["ts"])
    told = stage.run("trace", row["ts"], "--channel", "#jobs").stdout
    assert f"{len(body) - 1:,} bytes in a file" in told

    def deleted() -> list[str]:
        calls = anyio.run(stage.workspace.record)
        return [call["args"]["file"] for call in calls if call["method"] == "files.delete" and call["ok"]]

    stage.until(lambda: deleted() == [row["file"].partition("/")[0]], within=30)

"""What people see and do who operate a queue, by the command, with real processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

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


def test_a_function_on_a_thread_of_another_process_hears_that_it_was_cancelled(stage: Stage) -> None:
    ts = stage.post(60)
    stage.start("worker", "nap_house:app", "--name", "attic")
    stage.until(stage.begun)
    done = stage.run("cancel", ts, "--channel", "#jobs", "--wait", "60", "--by", "Ann")
    assert (done.returncode, done.stdout) == (0, "cancelled\n"), done.stderr
    assert stage.ended() == []
    [life] = told(stage, "trace", ts, "--channel", "#jobs")
    assert life["state"] == "cancelled"
    assert any("Ann" in step["detail"] for step in life["steps"])


def test_what_waits_is_cancelled_at_once_and_a_second_time_refused(stage: Stage) -> None:
    ts = stage.post(0)
    assert told(stage, "cancel", ts, "--channel", "#jobs") == [{"ts": ts, "state": "cancelled"}]
    again = stage.run("cancel", ts, "--channel", "#jobs")
    assert (again.returncode, "is cancelled already" in again.stderr) == (12, True)
    assert [row["state"] for row in told(stage, "ls", "#jobs", "--all")] == ["cancelled"]
    assert told(stage, "ls", "#jobs") == []


def test_purge_asks_first_and_then_ends_all_that_waits(stage: Stage) -> None:
    waiting = {stage.post(0), stage.post(0)}
    refused = stage.run("purge", "#jobs")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert told(stage, "stats", "#jobs")[0]["depth"] == 2
    rows = told(stage, "purge", "#jobs", "--yes", "--by", "Ann")
    assert {(row["ts"], row["state"]) for row in rows} == {(ts, "cancelled") for ts in waiting}
    assert told(stage, "stats", "#jobs")[0]["depth"] == 0


def test_a_paused_channel_stands_still_for_workers_and_goes_on_when_it_is_resumed(stage: Stage) -> None:
    stage.start("worker", "nap_house:app")
    assert told(stage, "pause", "#jobs", "--by", "Ann")[0]["by"] == "Ann"
    ts = stage.post(0)
    [figures] = told(stage, "stats", "#jobs")
    assert (figures["paused"], figures["depth"]) == (True, 1)
    assert "paused by Ann" in stage.run("ls", "#jobs").stderr
    assert told(stage, "resume", "#jobs") == [{"paused": False, "was_paused": True}]
    stage.until(lambda: ts in stage.ledger().done)
    assert stage.run("resume", "#jobs").stdout == "it was not paused\n"


def test_a_burst_ends_when_nothing_waits(stage: Stage) -> None:
    ts = stage.post(0)
    worker = stage.start("worker", "nap_house:app", "--burst", "--shutdown-timeout", "5")
    stage.until(lambda: worker.poll() is not None)
    assert worker.returncode == 0
    assert ts in stage.ledger().done


def test_a_check_tells_a_worker_that_receives_from_one_that_does_not(stage: Stage) -> None:
    pulse = stage.folder / "pulse.json"
    words = ("worker", "nap_house:app", "--pulse", str(pulse))
    none = stage.run(*words, "--check")
    assert (none.returncode, "No worker has written" in none.stdout) == (1, True)
    worker = stage.start(*words, "--name", "attic")
    stage.until(pulse.exists)
    good = stage.run(*words, "--check")
    assert good.returncode == 0, good.stdout
    assert "received: attic" in good.stdout
    worker.kill()
    late = stage.run(*words, "--check", "--oldest", "0.01")
    assert (late.returncode, "for the last time" in late.stdout) == (1, True)


def test_top_looks_once_and_tells_what_there_is(stage: Stage) -> None:
    stage.post(0)
    [view] = told(stage, "top", "#jobs", "--once")
    assert (view["depth"], view["paused"], view["workers"]) == (1, False, [])
    assert {budget["method"] for budget in view["budgets"]} == {"chat.postMessage", "reactions.add", "pins.add"}
    assert stage.run("top", "#jobs", "--once").stdout.startswith("#jobs\nwaiting    1\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_every_command(shared_stage: Stage, shell: str) -> None:
    done = shared_stage.run("completion", shell)
    assert done.returncode == 0, done.stderr
    for word in ("trace", "cancel", "pause", "resume", "purge", "stats", "top", "peek", "dlq"):
        assert word in done.stdout


def test_a_worker_is_started_anew_when_its_program_changes_and_ends_when_it_is_told(stage: Stage) -> None:
    program = stage.folder / "nap_house.py"
    worker = stage.start("worker", "nap_house:app", "--reload")
    first = stage.post(0)
    stage.until(lambda: first in stage.ledger().done)
    other = program.with_suffix(".new")
    other.write_text(program.read_text(encoding="utf-8").replace("def hang(", "def hung("), encoding="utf-8")
    other.replace(program)  # whoever looks sees all of it
    log = stage.folder / "1.log"
    stage.until(lambda: log.read_text().count(" works #jobs") >= 2)
    second = stage.post(0)
    stage.until(lambda: second in stage.ledger().done)
    worker.terminate()
    stage.until(lambda: worker.poll() is not None)
    assert worker.returncode == 0

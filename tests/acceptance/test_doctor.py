"""`slackmq doctor` as a process: what it says of a workspace, what it refuses, and that it cleans up."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from tests.acceptance.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

QUICK = ("--hurry", "--calls", "100")


def texts(stage: Stage) -> set[str]:
    """What was posted and not deleted."""
    standing: dict[str, str] = {}
    for call in anyio.run(stage.workspace.record):
        if call["ok"] and call["method"] == "chat.postMessage":
            standing[call["ts"]] = call["args"]["text"]
        elif call["ok"] and call["method"] == "chat.delete":
            standing.pop(call["args"]["ts"], None)
    return set(standing.values())


def test_of_a_workspace_as_it_must_be_it_finds_nothing_wrong(shared_stage: Stage) -> None:
    done = shared_stage.run("doctor", "#jobs")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line.split(":")[0].split(maxsplit=1) for line in done.stdout.splitlines()]
    assert {verdict for verdict, _ in said} == {"ok"}
    assert {what for _, what in said} >= {"bot token", "app token", "channel", "sockets", "clock", "plan", "files"}


def test_each_thing_that_is_wrong_comes_with_its_remedy(shared_stage: Stage) -> None:
    secret = shared_stage.folder / ".env"
    secret.write_text("SLACK_BOT_TOKEN=xoxb-1-2-3\n", encoding="utf-8")
    secret.chmod(0o644)
    done = shared_stage.run("doctor", "#nowhere", "--json", env={"SLACK_APP_TOKEN": "xapp-1-nobody"})
    secret.unlink()
    assert done.returncode == 1
    wrong = {row["what"]: row["wrong"] for row in json.loads(done.stdout)["findings"] if not row["ok"]}
    assert set(wrong) >= {"app token", "channel", "files"}
    assert "chmod 600" in wrong["files"]
    assert "xoxb-1" not in done.stdout


def test_an_archived_channel_is_found_and_named_by_the_doctor_and_by_the_probe(stage: Stage) -> None:
    stage.type("conversations.archive", channel=stage.workspace.channel("jobs").id)
    done = stage.run("doctor", "#jobs", "--json")
    wrong = {row["what"]: row["wrong"] for row in json.loads(done.stdout)["findings"] if not row["ok"]}
    assert done.returncode == 1
    assert "archived" in wrong["channel"]
    assert "archived" in stage.run("doctor", "#jobs", "--probe", *QUICK).stderr


def probed(stage: Stage, *words: str, **env: str) -> tuple[int, dict[str, Any]]:
    done = stage.run("doctor", "#jobs", "--probe", *QUICK, "--json", *words, env=env)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_with_two_apps_and_a_socket_everything_is_probed_and_holds(stage: Stage) -> None:
    scopes = ("chat:write", "channels:history", "channels:read", "pins:write", "reactions:write")
    second = stage.install("second", scopes, ()).app("second").bot_token
    status, report = probed(stage, SLACKMQ_SECOND_TOKEN=second)
    assert {row["probe"]: row["verdict"] for row in report["findings"]} == {
        f"P{number}": "noted" if number == 6 else "holds" for number in range(1, 10)
    }
    assert status == 0
    assert report["calls"] <= 100
    slowest = max(row["numbers"]["p100_s"] for row in report["findings"] if row["probe"] in {"P3", "P4"})
    assert report["recommended_skew_s"] == pytest.approx(max(3.0, 3 * slowest))
    assert report["left"] == 0
    assert texts(stage) == set()


def test_what_is_missing_is_named_and_is_never_called_a_pass(stage: Stage) -> None:
    status, report = probed(stage, SLACK_APP_TOKEN="")
    missing = {row["probe"]: row["remedy"] for row in report["findings"] if row["verdict"] == "not probed"}
    assert status == 5
    assert set(missing) == {"P5", "P7"}
    assert "SLACKMQ_SECOND_TOKEN" in missing["P5"]
    assert "SLACK_APP_TOKEN" in missing["P7"]
    assert texts(stage) == set()


def test_a_channel_that_workers_work_is_refused_and_nothing_is_posted(stage: Stage) -> None:
    stage.post(0.1)
    done = stage.run("doctor", "#jobs", "--probe", *QUICK)
    assert done.returncode == 2
    assert "has jobs of the last 24 hours" in done.stderr
    assert "channel of its own" in done.stderr
    assert len(texts(stage)) == 1


def test_a_scope_that_every_probe_needs_is_asked_for_before_anything_is_posted(stage: Stage) -> None:
    poor = stage.install("poor", ("channels:history", "channels:read"), ()).app("poor")
    done = stage.run("doctor", "#jobs", "--probe", *QUICK, env={"SLACK_BOT_TOKEN": poor.bot_token})
    assert done.returncode == 3
    assert "the app lacks chat:write, reactions:write" in done.stderr
    assert texts(stage) == set()


def test_without_a_channel_there_is_nothing_to_probe(shared_stage: Stage) -> None:
    done = shared_stage.run("doctor", "--probe")
    assert done.returncode == 2
    assert "needs a channel" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_half_way_it_removes_what_it_posted(stage: Stage, number: signal.Signals) -> None:
    process = stage.start("doctor", "#jobs", "--probe")
    stage.until(lambda: texts(stage))
    os.kill(process.pid, number)
    assert process.wait(timeout=PATIENCE) == 130
    assert texts(stage) == set()

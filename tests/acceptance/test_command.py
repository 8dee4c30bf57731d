"""The command as people meet it: exit statuses, two lines at most, never a traceback, never a token."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from tests.acceptance.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

NOWHERE = {"SLACKMQ_URL": "http://127.0.0.1:1/api/"}
UNSET = {"SLACKMQ_URL": "", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}
WRONG = {"SLACK_BOT_TOKEN": "xoxb-wrong-beef"}


@pytest.mark.parametrize(
    ("words", "env", "status", "says"),
    [
        (("wurker",), {}, 2, "wurker"),
        (("worker",), {}, 2, "APP"),
        (("worker", "nap_house:app", "-c", "0"), {}, 2, "Must be >= 1"),
        (("worker", "nap_house"), {}, 2, "names no app"),
        (("worker", "nap_house:app", "--rate", "often"), {}, 2, "is no rate"),
        (("worker", "nowhere:app"), {}, 2, "no module"),
        (("worker", "nap_house:App"), {}, 2, "is no App"),
        (("worker", "nap_house:app"), UNSET, 2, "Set SLACK_BOT_TOKEN"),
        (("worker", "nap_house:app", "--check"), UNSET, 2, "--local"),
        (("ls", "#jobs"), UNSET, 2, "Set SLACK_BOT_TOKEN"),
        (("post", "#jobs", "nap"), UNSET, 2, "Set SLACK_BOT_TOKEN"),
        (("ls", "#jobs"), {"SLACKMQ_URL": "nonsense"}, 2, "no web address"),
        (("post", "#jobs", "nap", "--arg", "seconds"), {}, 2, "name=value"),
        (("manifest", "--name", "x" * 36), {}, 2, "35 characters"),
        (("emulator", "--port", "70000"), {}, 2, "port"),
        (("emulator", "--port", "0", "--workspace", "!"), {}, 2, "no address of its own"),
        (("worker", "nap_house:app"), WRONG, 3, "does not know this token"),
        (("worker", "nap_house:empty"), {}, 3, "no channel"),
        (("post", "#nowhere", "nap"), {}, 3, "no channel"),
        (("ls", "#jobs"), NOWHERE, 4, "no answer"),
    ],
)
def test_what_cannot_work_ends_with_its_status_and_two_lines(
    shared_stage: Stage, words: tuple[str, ...], env: dict[str, str], status: int, says: str
) -> None:
    done = shared_stage.run(*words, env=env)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert "Traceback" not in done.stderr
    assert "beef" not in done.stdout + done.stderr


def test_check_finds_nothing_wrong_where_nothing_is(shared_stage: Stage) -> None:
    done = shared_stage.run("worker", "nap_house:app", "--check")
    assert done.returncode == 0, done.stdout
    assert "wrong" not in done.stdout
    assert "nap (task)" in done.stdout


def test_check_names_each_thing_that_is_wrong(stage: Stage) -> None:
    with_less = stage.install("less", ["channels:read", "channels:history", "reactions:write"], ["message.channels"])
    done = stage.run("worker", "nap_house:empty", "--check", env={"SLACK_BOT_TOKEN": with_less.app("less").bot_token})
    wrong = [line.split(":")[0].split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert wrong == ["handlers", "channel", "scope chat", "scope reactions"]
    assert done.returncode == 1


def test_check_posts_and_marks_nothing(stage: Stage) -> None:
    before = stage.ledger()
    stage.run("worker", "nap_house:app", "--check")
    after = stage.ledger()
    assert (after.jobs, after.taken) == (before.jobs, before.taken) == ({}, {})


def test_a_flag_is_also_a_variable(stage: Stage) -> None:
    env = {"SLACKMQ_POST_ARG": "seconds=3", "SLACKMQ_POST_KEY": "mine"}
    done = stage.run("post", "#jobs", "nap", env=env)
    assert "nap(seconds=3)" in done.stdout
    assert "key mine" in done.stdout


def test_what_was_posted_is_listed_as_waiting(stage: Stage) -> None:
    ts = stage.post(0)
    row = json.loads(stage.run("ls", "#jobs", "--json").stdout)
    assert (row["ts"], row["state"], row["kind"]) == (ts, "waiting", "nap")


def test_what_is_done_is_listed_on_request(stage: Stage) -> None:
    stage.start("worker", "nap_house:app")
    ts = stage.post(0)
    stage.until(lambda: ts in stage.ledger().done)
    row = json.loads(stage.run("ls", "#jobs", "--json", "--all").stdout)
    assert (row["ts"], row["state"], row["generation"]) == (ts, "done", 1)


def test_debug_shows_where_an_error_came_from(shared_stage: Stage) -> None:
    done = shared_stage.run("worker", "nowhere:app", "--debug")
    assert "Traceback" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_emulator_stops_cleanly(stage: Stage, number: signal.Signals) -> None:
    emulator = stage.processes[0]
    emulator.send_signal(number)
    assert emulator.wait(timeout=PATIENCE) == 0
    assert (stage.folder / "emulator.log").read_text() == ""

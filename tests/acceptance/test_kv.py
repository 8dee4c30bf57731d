"""`slackmq kv` as people use it: real processes, a real workspace, the exit statuses of the page on the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.acceptance.conftest import COMMAND, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Stage

FAST = {"SLACKMQ_KV_SKEW": "0.2"}
UNSET = {"SLACKMQ_URL": "", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}
SECRET = "xoxb-1161947729678-1470260871585-5703458074a17511"


def kv(
    stage: Stage,
    *words: str,
    status: int = 0,
    given: bytes = b"",
    channel: str = "#jobs",
    fresh: bool = False,
    env: Mapping[str, str] | None = None,
) -> bytes:
    """What a command prints; its words without the channel, which comes second."""
    done = subprocess.run(
        [*COMMAND, "kv", words[0], channel, *words[1:], *["--fresh"] * fresh],
        cwd=stage.folder,
        env={**stage.env, **FAST, **(env or {})},
        input=given,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == status, (done.stdout, done.stderr)
    assert len(done.stderr.splitlines()) <= 2
    return done.stdout + done.stderr


def rows(printed: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_what_one_process_puts_another_gets_as_it_was(stage: Stage) -> None:
    kv(stage, "put", "lamp", "on")
    kv(stage, "put", "n", "-5")
    kv(stage, "put", "text", "5", "--text")
    kv(stage, "put", "object", given=b'{"a": [1, null]}\n')
    kv(stage, "put", "bytes", "--bytes", given=b"\x00\xff\n")
    assert kv(stage, "get", "bytes", fresh=True) == b"\x00\xff\n"
    assert kv(stage, "get", "lamp") == b"on\n"
    [row] = rows(kv(stage, "get", "text", "--json"))
    assert (row["value"], row["author"], row["expires"]) == ("5", stage.workspace.app().bot_user_id, None)
    listed = rows(kv(stage, "ls", "--json"))
    assert {row["key"]: row.get("value", row.get("base64")) for row in listed} == {
        "lamp": "on",
        "n": -5,
        "text": "5",
        "object": {"a": [1, None]},
        "bytes": "AP8K",
    }
    assert [row["key"] for row in rows(kv(stage, "ls", "--json", "l"))] == ["lamp"]
    [status] = rows(kv(stage, "status", "--json"))
    assert (status["keys"], status["records"], status["rejected"]) == (5, 5, 0)


def test_what_was_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    [first] = rows(kv(stage, "put", "k", "1", "--create", "--json"))
    kv(stage, "put", "k", "2", "--create", status=7)
    second = int(kv(stage, "put", "k", "2", "--last", str(first["revision"])))
    kv(stage, "put", "k", "3", "--last", str(first["revision"]), status=7)
    kv(stage, "del", "k", "--last", str(first["revision"]), status=7)
    [row] = rows(kv(stage, "get", "k", "--json", fresh=True))
    assert (row["value"], row["revision"], row["first"]) == (2, second, first["revision"])
    kv(stage, "del", "k", "--last", str(second))
    kv(stage, "get", "k", status=6, fresh=True)
    kinds = [row["kind"] for row in rows(kv(stage, "history", "k", "--json"))]
    assert kinds == ["put", "put", "delete"]


def test_a_watch_prints_each_change_as_it_comes(stage: Stage) -> None:
    kv(stage, "put", "before", "1")
    process = subprocess.Popen(
        [*COMMAND, "kv", "watch", "#jobs", "--json", "--from", "0", "--count", "4"],
        cwd=stage.folder,
        env={**stage.env, **FAST},
        stdout=subprocess.PIPE,
    )
    stage.processes.append(process)  # type: ignore[arg-type]  # of bytes, and ended like the others
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["key"] == "before"
    kv(stage, "put", "during", "2", "--ttl", "1")
    assert json.loads(process.stdout.readline())["value"] == 2
    kv(stage, "del", "before")  # what has run out is told with the next record, or a minute later
    assert {json.loads(process.stdout.readline())["kind"] for _ in range(2)} == {"expire", "delete"}
    assert process.wait(timeout=PATIENCE) == 0
    process.stdout.close()


def test_an_export_carries_a_store_to_another_channel(stage: Stage) -> None:
    kv(stage, "put", "a", "1")
    kv(stage, "put", "b", "--bytes", given=b"\xff")
    kv(stage, "put", "c", "here a while", "--ttl", "3600")
    exported = kv(stage, "export")
    there = "#general"
    [counts] = rows(kv(stage, "import", "--json", given=exported, channel=there))
    assert counts == {"put": 3, "there": 0, "expired": 0, "locks": 0}
    old, new = rows(exported), rows(kv(stage, "export", channel=there))
    assert [(row["key"], row.get("value"), row.get("base64")) for row in new] == [
        ("a", 1, None),
        ("b", None, "/w=="),
        ("c", "here a while", None),
    ]
    assert new[2]["expires"][:15] == old[2]["expires"][:15]
    [again] = rows(kv(stage, "import", "--json", "--create", given=exported, channel=there))
    assert again == {"put": 0, "there": 3, "expired": 0, "locks": 0}
    kv(stage, "import", given=exported + b"{}\n", channel=there, status=2)


def test_a_command_runs_under_a_lock_and_knows_its_token(stage: Stage) -> None:
    show = "import os, sys; print(os.environ['SLACKMQ_LOCK_TOKEN'], sys.argv[1:]); sys.exit(7)"
    words = ("lock", "door", "--ttl", "30", "--")
    first = kv(stage, *words, sys.executable, "-c", show, "--json", "$HOME", status=7).split(b" ", 1)
    assert first[1] == b"['--json', '$HOME']\n"
    second = kv(stage, *words, sys.executable, "-c", show, status=7).split(b" ", 1)
    assert int(second[0]) > int(first[0])
    assert b"no-such-program" in kv(stage, *words, "no-such-program", status=127)
    kv(stage, "lock", "door", status=2)
    assert kv(stage, "ls", "lock/", fresh=True) == b""


def test_what_a_command_writes_under_a_lock_counts_only_while_it_is_held(stage: Stage) -> None:
    put = [*COMMAND, "kv", "put", "#jobs", "k"]
    held = kv(stage, "lock", "door", "--ttl", "30", "--", *put, "mine", "--held")
    assert int(held) > 0
    show = "import os; print(os.environ['SLACKMQ_LOCK_TOKEN'])"
    token = kv(stage, "lock", "door", "--ttl", "30", "--", sys.executable, "-c", show).decode().strip()
    assert b"not held" in kv(stage, "put", "k", "late", "--lock", "door", "--token", token, status=9)
    lapsed = {"SLACKMQ_LOCK_KEY": "lock/door", "SLACKMQ_LOCK_TOKEN": token}
    kv(stage, "del", "k", "--held", status=9, env=lapsed)
    kv(stage, "put", "k", "late", "--held", status=2)
    kv(stage, "put", "k", "late", "--lock", "door", status=2)
    assert kv(stage, "get", "k", fresh=True) == b"mine\n"


def test_a_lock_is_waited_for_and_a_signal_is_for_the_command(stage: Stage) -> None:
    flag = stage.folder / "flag"
    hold = f"import pathlib, time; pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    words = [*COMMAND, "kv", "lock", "#jobs", "door", "--ttl", "30", "--", sys.executable, "-c", hold]
    holder = subprocess.Popen(words, cwd=stage.folder, env={**stage.env, **FAST}, text=True)
    stage.processes.append(holder)
    stage.until(flag.exists)
    kv(stage, "lock", "door", "--ttl", "30", "--wait", "2", "--", "true", status=11)
    holder.send_signal(signal.SIGTERM)
    assert holder.wait(timeout=PATIENCE) == 128 + signal.SIGTERM
    kv(stage, "lock", "door", "--ttl", "30", "--wait", "60", "--", "true")


def test_a_command_whose_lock_is_lost_is_ended(stage: Stage) -> None:
    flag = stage.folder / "flag"
    hold = f"import pathlib, time; pathlib.Path({str(flag)!r}).write_text('x'); time.sleep(60)"
    words = [*COMMAND, "kv", "lock", "#jobs", "door", "--ttl", "4", "--", sys.executable, "-c", hold]
    holder = subprocess.Popen(
        words, cwd=stage.folder, env={**stage.env, **FAST}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    stage.processes.append(holder)
    stage.until(flag.exists)
    kv(stage, "del", "lock/door")
    _, complaint = holder.communicate(timeout=PATIENCE)
    assert (holder.returncode, "ran out" in complaint) == (9, True), complaint


def test_no_list_shows_a_token_and_get_shows_what_was_put(stage: Stage) -> None:
    kv(stage, "put", "install", json.dumps({"bot_token": SECRET}))
    assert b"5703458074a17511" not in kv(stage, "ls", fresh=True)
    assert b"5703458074a17511" not in kv(stage, "history", "install")
    assert json.loads(kv(stage, "get", "install")) == {"bot_token": SECRET}


@pytest.mark.parametrize(
    ("words", "env", "status", "says"),
    [
        (("kv", "get", "#jobs"), {}, 2, "KEY"),
        (("kv", "put", "#jobs", "k", "v", "--create", "--last", "5"), {}, 2, "contradict"),
        (("kv", "put", "#jobs", "k", "v", "--text", "--bytes"), {}, 2, "contradict"),
        (("kv", "put", "#jobs", "k", "v", "--ttl", "0"), {}, 2, "Must be > 0"),
        (("kv", "put", "#jobs", "k", "v", "--ttl", "inf"), {}, 2, "Must be <="),
        (("kv", "put", "#jobs", "k", "v", "--last", "-1"), {}, 2, "no revision"),
        (("kv", "put", "#jobs", "a\nb", "v"), {}, 2, "cannot be a key"),
        (("kv", "get", "#jobs", "k", "--skew", "inf"), {}, 2, "Must be <="),
        (("kv", "del", "#jobs", "k", "--last", "-5"), {}, 2, "no revision"),
        (("kv", "lock", "#jobs", "door", "--ttl", "nan", "--", "true"), {}, 2, "Must be"),
        (("kv", "lock", "#jobs", "door", "--ttl", "1e300", "--", "true"), {}, 2, "Must be <="),
        (("kv", "import", "#jobs", "nowhere.jsonl"), {}, 2, "cannot be read"),
        (("kv", "lock", "#jobs", "door", "--ttl", "1", "--", "true"), {"SLACKMQ_KV_SKEW": "4"}, 2, "20 s or more"),
        (("kv", "get", "#jobs", "k"), UNSET, 2, "Set SLACK_BOT_TOKEN"),
        (("kv", "get", "#nowhere", "k"), {}, 3, "no channel"),
        (("kv", "get", "#jobs", "k"), {"SLACKMQ_URL": "http://127.0.0.1:1/api/"}, 4, "no answer"),
        (("kv", "get", "#jobs", "k"), {}, 6, "no key 'k'"),
    ],
)
def test_what_cannot_work_ends_with_its_status_and_two_lines(
    shared_stage: Stage, words: tuple[str, ...], env: dict[str, str], status: int, says: str
) -> None:
    done = shared_stage.run(*words, env={**FAST, **env})
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(stage: Stage) -> None:
    kv(stage, "put", "k", "1")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        done = subprocess.run(
            [*COMMAND, "kv", "watch", "#jobs", "--from", "0"],
            cwd=stage.folder,
            env={**stage.env, **FAST},
            stdout=nobody,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_store_with_a_key_shows_nothing_in_its_channel_and_is_refused_without_it(stage: Stage) -> None:
    key = "k" * 43
    mine = {"SLACKMQ_KV_KEY": key, "SLACKMQ_KV_ENCRYPT": "1"}
    kv(stage, "put", "lamp", "glaring", env=mine)
    kv(stage, "put", "large", "--text", given=b"a large value, " * 2_000, env=mine)
    assert kv(stage, "get", "lamp", fresh=True, env=mine) == b"glaring\n"
    said = kv(stage, "get", "lamp", status=2)
    assert b"SLACKMQ_KV_KEY" in said
    assert key.encode() not in said
    exported = kv(stage, "export", env=mine)
    assert [len(row["value"]) for row in rows(exported)] == [7, 30_000]
    assert b"put 2" in kv(stage, "import", given=exported, env=mine)
    assert b" bytes)" in kv(stage, "ls", "large", env=mine)

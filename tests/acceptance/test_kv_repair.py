"""`slackmq kv repair`: a store from which a record was deleted stops loudly, and goes on with what is left."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from tests.acceptance.conftest import COMMAND

from slackmq.testing import workspace

if TYPE_CHECKING:
    from slackmq.testing import Workspace


def kv(there: Workspace, *words: str) -> tuple[int, str]:
    settings = there.app.settings
    env = {"SLACK_BOT_TOKEN": settings.token or "", "SLACK_APP_TOKEN": "", "SLACKMQ_URL": settings.url or ""}
    done = subprocess.run(
        [*COMMAND, "kv", *words],
        env={**os.environ, **env, "SLACKMQ_KV_SKEW": "0.2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def delete(there: Workspace, ts: str) -> None:
    form = urllib.parse.urlencode({"token": there.app.settings.token, "channel": there.channel("#state"), "ts": ts})
    with urllib.request.urlopen(f"{there.app.settings.url}chat.delete", form.encode()) as answer:  # noqa: S310  # the local workspace
        assert json.load(answer)["ok"]


def test_a_store_from_which_a_record_was_deleted_is_repaired_by_a_command() -> None:
    with workspace(channels=("general", "state")) as there:
        for key in "abc":
            assert kv(there, "put", "#state", key, key, "--create")[0] == 0
        delete(there, next(each["ts"] for each in there.messages("#state") if each["text"].startswith("a =")))
        status, said = kv(there, "get", "#state", "c", "--fresh")  # any other read may be seconds old
        assert (status, "slackmq kv repair" in said) == (10, True)
        assert kv(there, "repair", "#state") == (0, "The store has 2 keys, of 2 records; start again who uses it.\n")
        assert kv(there, "get", "#state", "c", "--fresh") == (0, "c\n")
        status, said = kv(there, "history", "#state", "c", "--json")
        assert (status, json.loads(said)["value"]) == (0, "c")
        assert kv(there, "repair", "#nowhere")[0] == 3

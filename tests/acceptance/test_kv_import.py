"""What `slackmq kv import` makes of what it is given, or refuses before anything is written."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.acceptance.conftest import COMMAND

from slackmq.testing import workspace

if TYPE_CHECKING:
    from collections.abc import Generator

    from slackmq.testing import Workspace


@pytest.fixture
def there() -> Generator[Workspace]:
    with workspace(channels=("general", "state")) as slack:
        yield slack


def imported(there: Workspace, *rows: dict[str, object]) -> tuple[int, str]:
    settings = there.app.settings
    env = {"SLACK_BOT_TOKEN": settings.token or "", "SLACK_APP_TOKEN": "", "SLACKMQ_URL": settings.url or ""}
    done = subprocess.run(
        [*COMMAND, "kv", "import", "#state"],
        env={**os.environ, **env, "SLACKMQ_KV_SKEW": "0.2"},
        input="\n".join(map(json.dumps, rows)).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


def records(there: Workspace) -> int:
    return sum(message["text"].startswith(("k", "a")) for message in there.messages("#state"))


@pytest.mark.parametrize(
    "row",
    [{"key": "k", "value": "x" * (33 * 1024 * 1024)}, {"key": "k", "value": 1, "expires": "9999-12-31T00:00:00Z"}],
    ids=["large", "long"],
)
def test_a_line_that_cannot_be_written_keeps_the_others_from_being_written(
    there: Workspace, row: dict[str, object]
) -> None:
    status, said = imported(there, {"key": "a", "value": 1}, row)
    assert status == 2
    assert "othing was written" in said
    assert records(there) == 0


def test_a_key_runs_out_by_the_clock_of_slack_and_not_by_that_of_this_machine(there: Workspace) -> None:
    there.advance(86_400)
    now = datetime.now(UTC)
    gone, kept = now + timedelta(hours=12), now + timedelta(hours=36)
    status, said = imported(
        there, {"key": "k1", "value": 1, "expires": str(gone)}, {"key": "k2", "value": 2, "expires": str(kept)}
    )
    assert (status, said) == (0, "put 1 · there 0 · expired 1 · locks 0\n")
    assert records(there) == 1

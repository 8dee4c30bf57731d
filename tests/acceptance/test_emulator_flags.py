"""What `slackmq emulator` is told on its command line, seen from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def emulator(*words: str) -> Generator[tuple[dict[str, Any], list[str]]]:
    """One that runs, by what it says of itself; afterwards what it complained about."""
    command = [sys.executable, "-m", "slackmq", "emulator", "--port", "0", "--json", *words]
    complaints: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), complaints
        finally:
            process.terminate()
            complaints += process.communicate(timeout=60)[1].splitlines()


def test_faults_are_armed_from_the_command_line() -> None:
    with emulator("--faults", "limited=1,retry_after=7,reorder", "--seed", "3") as (about, _):
        client: Any = WebClient(about["apps"][0]["bot_token"], base_url=about["base_url"])
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel="#jobs", text="x")
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "7"
        headers = {"Authorization": f"Bearer {about['admin_token']}"}
        with urlopen(Request(f"{about['page_url']}__admin/", headers=headers), timeout=60) as answer:  # noqa: S310  # loopback
            armed = json.load(answer)["armed"]
        assert (armed["seed"], armed["faults"]["reorder"], armed["suffered"]) == (3, True, {"limited": 1})


def test_it_stays_on_this_machine_unless_told_otherwise_and_then_warns() -> None:
    with emulator() as (about, complaints):
        assert about["page_url"].startswith("http://127.0.0.1:")
    assert complaints == []
    with emulator("--host", "0.0.0.0") as (about, complaints):  # noqa: S104  # that is the point
        here, everywhere = "127.0.0.2", "0.0.0.0"  # noqa: S104  # as above
        client: Any = WebClient(about["apps"][0]["bot_token"], base_url=about["base_url"].replace(everywhere, here))
        assert client.auth_test()["ok"]
    assert "anybody on your network" in complaints[0]


def test_an_address_that_is_not_this_machines_is_refused_with_a_remedy() -> None:
    command = [sys.executable, "-m", "slackmq", "emulator", "--port", "0", "--host", "192.0.2.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Choose another host" in done.stderr

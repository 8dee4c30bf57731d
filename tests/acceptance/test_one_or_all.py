"""Three workers with names: what is for one of them, what is for a place, and what each of them does."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import anyio
import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.acceptance.conftest import Stage

HOMES = """
import os
from nap_house import app

@app.listen("who is there", every_bot=True)
def who() -> str:
    return "here"

@app.listen("open the blind", where="room=attic")
def open_blind() -> str:
    return f"opened by {os.getpid()}"

@app.task
def blink() -> str:
    return f"blinked by {os.getpid()}"
"""


def start(stage: Stage, name: str, *labels: str) -> subprocess.Popen[str]:
    words = [word for label in labels for word in ("--label", label)]
    return stage.start("worker", "homes:app", "--name", name, *words)


def thread(stage: Stage, ts: str) -> list[str]:
    """What bots said in a thread; the record of the workspace may be read as often as one likes."""
    calls = [call for call in anyio.run(stage.workspace.record) if call["ok"] and call["method"] == "chat.postMessage"]
    return [str(call["args"]["text"]) for call in calls if call["args"].get("thread_ts") == ts]


@pytest.mark.timeout(240)
def test_each_of_three_workers_does_what_is_for_it_and_what_is_for_all_once_by_its_name(stage: Stage) -> None:
    (stage.folder / "homes.py").write_text(HOMES, encoding="utf-8")
    channel = stage.workspace.channel("jobs").id
    homes = {"pi-1": start(stage, "pi-1", "room=attic"), "pi-2": start(stage, "pi-2"), "pi-3": start(stage, "pi-3")}
    who, blind = (
        stage.type("chat.postMessage", channel=channel, text=text) for text in ("who is there", "open the blind")
    )
    stage.until(lambda: {f"{name}: here" for name in homes} <= set(thread(stage, who)), within=80)
    stage.until(lambda: thread(stage, blind), within=80)
    assert thread(stage, blind) == [f"opened by {homes['pi-1'].pid}"]

    homes["pi-2"].send_signal(signal.SIGKILL)
    homes["pi-2"].wait(timeout=10)
    done = stage.run("post", "#jobs", "blink", "--on", "pi-2")
    assert done.returncode == 0, done.stderr
    [waiting] = [json.loads(line) for line in stage.run("ls", "#jobs", "--json").stdout.splitlines()]
    assert (waiting["state"], waiting["on"]) == ("waiting", "pi-2")

    homes["pi-2"] = start(stage, "pi-2")
    stage.until(lambda: thread(stage, waiting["ts"]), within=80)
    assert thread(stage, waiting["ts"]) == [f"blinked by {homes['pi-2'].pid}"]
    # By then it has looked at what it did before its end.
    answers = [line for line in thread(stage, who) if line.endswith(": here")]
    assert sorted(answers) == [f"{name}: here" for name in homes]

"""The demo ends in time and leaves nothing behind; that it holds is what `make demo` shows, in half a minute."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = Path("/proc")
pytestmark = pytest.mark.skipif(not PROCESSES.exists(), reason="needs /proc to see what is left behind")


def left_behind(folder: Path) -> list[str]:
    """The command lines of all processes that work for a demo in this folder."""
    found: list[str] = []
    for process in PROCESSES.iterdir():
        with suppress(OSError):
            if process.name.isdecimal() and f"{folder}/slackmq-demo".encode() in (
                (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            ):
                found.append((process / "cmdline").read_text())
    return found


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    words: tuple[str, ...] = request.param
    process = subprocess.Popen(
        [sys.executable, "-m", "slackmq", "demo", *words],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("demo", [("--seconds", "6"), ("state", "--seconds", "5")], indirect=True)
def test_a_demo_that_is_not_done_in_time_says_so_with_status_1(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    shown, complaint = demo.communicate(timeout=180)
    assert demo.returncode == 1, complaint
    assert "http://127.0.0.1:" in shown.splitlines()[0]
    assert "sent " in shown or "WRONG: it did not come to its end in time" in shown
    assert complaint == ""
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("demo", [("--hold",)], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process_and_no_file(
    demo: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    deadline = time.perf_counter() + 120
    while len(left_behind(tmp_path)) < 4:
        assert time.perf_counter() < deadline, "the demo did not start"
        threading.Event().wait(0.05)
    demo.send_signal(number)
    _, complaint = demo.communicate(timeout=60)
    assert (demo.returncode, complaint) == (130, "")
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("demo", [("state", "--seconds", "150")], indirect=True)
def test_what_bots_keep_in_a_channel_outlives_their_machine(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    shown, complaint = demo.communicate(timeout=170)
    assert (demo.returncode, complaint) == (0, ""), shown
    assert "lamp on, set by bot-1, 2 changes · counter 200, by bot-1 and bot-2" in shown
    assert "WRONG" not in shown
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(360)  # four times two processes are started, and claims must lapse
@pytest.mark.parametrize("demo", [("retrofit", "--seconds", "270")], indirect=True)
def test_one_line_more_and_a_bot_answers_once_what_it_answered_twice_or_never(
    demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    shown, complaint = demo.communicate(timeout=290)
    assert (demo.returncode, complaint) == (0, ""), shown
    head, twice, _, killed, fate = [re.split(r"\s{2,}", line) for line in shown.split("\n\n")[-2].splitlines()]
    assert head[1:] == ["as it was", "with the line"]
    assert twice[1:] == ["6 messages, 12 answers", "6 messages, 6 answers"]
    assert killed[2] == "6 messages, 6 answers"
    assert fate[1].endswith("never answered")
    assert fate[2] == "one answer each"
    assert "WRONG" not in shown
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_without_bolt_the_demo_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text('import sys\nsys.modules["slack_bolt"] = None\n')
    command = [sys.executable, "-m", "slackmq", "demo", "retrofit"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert "pip install 'slackmq[bolt]'" in run.stderr
    assert "make demo ARGS=retrofit" in run.stderr

"""Reloading: a change starts the worker anew, and a signal ends it, also while it is being started anew."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import anyio

from slackmq.cli.reload import reloading

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WORKER = """#!/bin/sh
echo begins >> "{log}"
trap 'echo is asked to end >> "{log}"; until test -e "{go}"; do sleep 0.05; done; exit 7' TERM
while :; do sleep 0.05; done
"""


def test_a_signal_while_the_worker_is_started_anew_ends_it_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, log, go, worker = (tmp_path / name for name in ("program", "log", "go", "worker"))
    folder.mkdir()
    worker.write_text(WORKER.format(log=log, go=go), encoding="utf-8")
    worker.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(worker))
    ended: list[int] = []

    def said() -> list[str]:
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    async def until(lines: int) -> None:
        while len(said()) < lines:  # noqa: ASYNC110  # another process writes it
            await anyio.sleep(0.05)

    async def work() -> None:
        ended.append(await reloading([], folder))

    async def main() -> None:
        with anyio.fail_after(15):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(work)
                await until(1)
                (folder / "home.py").write_text("light = 1", encoding="utf-8")
                await until(2)
                os.kill(os.getpid(), signal.SIGTERM)
                go.touch()

    anyio.run(main)
    assert ended == [7]
    assert said().count("begins") == 1

"""How long a workspace takes to open: from the command to the first `ok`, and inside a test."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.calls import emulator, started
from tests.benchmarks.load import calls, request

from slackmq.testing import workspace

_RUNS = 7


def process() -> float:
    """Seconds from starting `slackmq emulator`, interpreter included, to the first answer; the median of several."""
    return statistics.median(_process() for _ in range(_RUNS))


def _process() -> float:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with started(emulator(Path(folder, "workspace.db"))) as server:
            url, token = server.about["base_url"], server.about["apps"][0]["bot_token"]
            asyncio.run(calls(url, [request(url, token, "auth.test", {})], 1))
            return time.perf_counter() - begun


def fixture() -> float:
    """Seconds until `with slackmq.testing.workspace()` is inside, in a process that has imported it."""
    return statistics.median(_fixture() for _ in range(_RUNS))


def _fixture() -> float:
    begun = time.perf_counter()
    with workspace():
        return time.perf_counter() - begun


if __name__ == "__main__":
    print(f"process: {process():.2f} s, fixture: {fixture():.3f} s")  # noqa: T201  # a quick look

"""What a worker weighs beside slack_sdk alone: time to import, and resident memory once connected objects exist."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass

_PROBE = """
import json, resource, time
begun = time.perf_counter()
{imports}
took = time.perf_counter() - begun
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
SDK = "import slack_sdk.web.async_client, slack_sdk.socket_mode.aiohttp"
WORKER = "import slackmq, slackmq.app, slackmq.worker; from slackmq.slack.web import SdkWire"
_RUNS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Seconds to import, and MiB resident afterwards; the medians of several fresh interpreters."""

    seconds: float
    mebibytes: float


def weigh(imports: str) -> Weight:
    """Weigh what a line of imports brings."""
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", _PROBE.format(imports=imports)], check=True, capture_output=True, text=True
            ).stdout
        )
        for _ in range(_RUNS)
    ]
    return Weight(
        seconds=statistics.median(run[0] for run in runs), mebibytes=statistics.median(run[1] for run in runs)
    )

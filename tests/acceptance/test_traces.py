"""One trace for a job, although one process posts it and another does it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.acceptance.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

HOUSE = """
import os
from pathlib import Path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
import slackmq
from slackmq.telemetry.opentelemetry import Tracing

def written(span):
    parent = span.parent and format(span.parent.span_id, "x")
    context = span.get_span_context()
    return f'["{span.name}","{context.trace_id:x}","{context.span_id:x}","{parent or ""}",{os.getpid()}]' + chr(10)

provider = TracerProvider()
out = Path("spans.jsonl").open("a", buffering=1)
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out, formatter=written)))
trace.set_tracer_provider(provider)
tracing = Tracing()
app = slackmq.App("#jobs", hooks=[tracing], middleware=[tracing.around])

@app.task
def ship(order: int) -> str:
    with trace.get_tracer("shop").start_as_current_span("pack"):
        return "on its way"
"""
POSTER = """
import anyio
from opentelemetry import trace
from trace_house import app, ship

async def main():
    async with app:
        with trace.get_tracer("shop").start_as_current_span("checkout"):
            await ship.post(7)

anyio.run(main)
"""


def test_the_spans_of_two_processes_are_one_trace_from_the_post_to_what_the_handler_did(stage: Stage) -> None:
    (stage.folder / "trace_house.py").write_text(HOUSE, encoding="utf-8")
    stage.start("worker", "trace_house:app")
    subprocess.run([sys.executable, "-c", POSTER], cwd=stage.folder, env=stage.env, check=True, timeout=PATIENCE)

    def spans() -> dict[str, list[str]]:
        lines = (stage.folder / "spans.jsonl").read_text(encoding="utf-8").splitlines()
        return {span[0]: span[1:] for span in map(json.loads, lines)}

    stage.until(lambda: "process ship" in spans())
    found = spans()
    assert set(found) == {"checkout", "post ship", "process ship", "pack"}
    assert len({trace for trace, *_ in found.values()}) == 1
    for child, parent in (("post ship", "checkout"), ("process ship", "post ship"), ("pack", "process ship")):
        assert found[child][2] == found[parent][1]
    assert found["post ship"][3] != found["process ship"][3]


PLAIN_HOUSE = """
import slackmq
from opentelemetry import trace

app = slackmq.App("#jobs")

@app.task
def ship(order: int) -> str:
    return format(trace.get_current_span().get_span_context().span_id, "016x")
"""


def spans(printed: str) -> dict[str, dict[str, Any]]:
    """The spans among what a program printed, by name; each is an object over several lines."""
    found: dict[str, dict[str, Any]] = {}
    read = json.JSONDecoder()
    for start in re.finditer(r"^\{$", printed, re.MULTILINE):
        span, _ = read.raw_decode(printed, start.start())
        found[span["name"]] = span
    return found


@pytest.mark.timeout(120)
def test_a_program_that_says_nothing_of_traces_is_traced_by_the_instrumentor(stage: Stage) -> None:
    (stage.folder / "plain_house.py").write_text(PLAIN_HOUSE, encoding="utf-8")
    exporters = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}

    def traced(*words: str) -> dict[str, dict[str, Any]]:
        program = [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, "-m", "slackmq"]
        env = {**stage.env, **exporters}
        ran = subprocess.run([*program, *words], cwd=stage.folder, env=env, capture_output=True, text=True, check=True)
        return spans(ran.stdout)

    posted = traced("post", "#jobs", "ship", "-a", "order=7")["post ship"]
    done = traced("worker", "plain_house:app", "--burst")["process ship"]
    assert done["parent_id"] == posted["context"]["span_id"]
    assert done["context"]["trace_id"] == posted["context"]["trace_id"]
    assert (done["status"]["status_code"], done["attributes"]["slackmq.outcome"]) == ("OK", "done")
    (answer,) = stage.thread(done["attributes"]["messaging.message.id"])
    assert f"0x{answer}" == done["context"]["span_id"]

"""What OpenTelemetry is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from slackmq.app import App
from slackmq.envelope import finished, seal, unseal
from slackmq.handlers import Handlers
from slackmq.hooks import Carrier, Claimed, Extended, Failed, Finished, Lost, carried
from slackmq.message import Claim, Message, Outcome, Post
from slackmq.telemetry.instrumentor import SlackMQInstrumentor
from slackmq.telemetry.opentelemetry import Tracing
from slackmq.testing import async_workspace
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Iterator


class Recorder:
    """A program with its own provider."""

    def __init__(self) -> None:
        self.provider = TracerProvider()
        self.spans = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracing = Tracing(self.provider)


def claim(trace_parent: str = "") -> Claim:
    message = Message(channel="C1", ts="1.000000", author="U1", kind="work", key="k", trace=trace_parent)
    return Claim(message=message, token=1, attempt=1, deadline=60.0)


def test_the_claim_of_another_process_belongs_to_the_trace_of_the_post() -> None:
    poster, worker = Recorder(), Recorder()
    with poster.provider.get_tracer("shop").start_as_current_span("checkout"):
        carried = poster.tracing.carry(Post(kind="work", body={}, key="k"))
    held = claim(carried)
    for happening in (
        Claimed(claim=held),
        Extended(claim=replace(held, token=2)),
        Failed(claim=held, reason="not yet"),
        Finished(claim=held, outcome=Outcome.RELEASED, effective=True),
        Claimed(claim=replace(held, token=3, attempt=2)),
        Finished(claim=held, outcome=Outcome.DONE, effective=True),
    ):
        worker.tracing(happening)
    posted, checkout = poster.spans.get_finished_spans()
    first, second = worker.spans.get_finished_spans()
    origin = posted.get_span_context()
    assert origin is not None
    assert posted.parent == checkout.context
    for span in (first, second):
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == (origin.trace_id, origin.span_id)
    assert (first.status.status_code, first.status.description) == (StatusCode.ERROR, "not yet")
    assert second.status.status_code is StatusCode.OK
    assert [event.name for event in first.events] == ["extended"]
    assert first.attributes is not None
    assert first.attributes["slackmq.outcome"] == "released"


def test_a_claim_without_a_trace_begins_its_own_and_not_that_of_whatever_is_current() -> None:
    worker = Recorder()
    with worker.provider.get_tracer("shop").start_as_current_span("loop"):
        worker.tracing(Claimed(claim=claim()))
        worker.tracing(Lost(claim=claim(), reason="late"))
    lost = worker.spans.get_finished_spans()[0]
    assert lost.parent is None
    assert lost.status.description == "lost: late"


@pytest.mark.parametrize("nonsense", ["x", "00-0-0-00", "💥" * 100, "00-" + "f" * 32 + "-" + "0" * 16 + "-01"])
def test_a_trace_that_cannot_be_read_is_none(nonsense: str) -> None:
    worker = Recorder()
    worker.tracing(Claimed(claim=claim(nonsense)))
    worker.tracing(Finished(claim=claim(nonsense), outcome=Outcome.DEAD, effective=True))
    assert worker.spans.get_finished_spans()[0].parent is None


def test_where_nothing_records_nothing_is_carried_and_nothing_breaks() -> None:
    tracing = Tracing(trace.NoOpTracerProvider())
    assert isinstance(tracing, Carrier)
    assert tracing.carry(Post(kind="work", body={}, key="k")) == ""
    tracing(Finished(claim=claim(), outcome=Outcome.DONE, effective=True))


def test_a_trace_stands_in_the_metadata_and_changes_no_digest() -> None:
    post = Post(kind="work", body={}, key="k")
    plain, traced = (seal(one, to="U1", sent_at=1.0) for one in (post, replace(post, trace="00-a-b-01")))
    assert traced.payload == {**plain.payload, "trace": "00-a-b-01"}
    letter = unseal(traced.payload, channel="C1", ts="1.000000", author="U1", me="U1")
    assert letter is not None
    assert letter.error is None
    assert letter.message.trace == "00-a-b-01"
    assert finished(letter.message).payload["trace"] == "00-a-b-01"


def test_a_hook_that_raises_keeps_no_job_from_being_posted(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Tracing):
        def carry(self, post: Post) -> str:
            raise RuntimeError(post.kind)

    assert carried([Broken()], Post(kind="work", body={}, key="k")) == ""
    assert "a hook raised on a post" in caplog.text
    assert carried([lambda _: None], Post(kind="work", body={}, key="k")) == ""


@pytest.fixture
def instrumented() -> Iterator[Recorder]:
    recorder = Recorder()
    SlackMQInstrumentor().instrument(tracer_provider=recorder.provider)
    yield recorder
    SlackMQInstrumentor().uninstrument()


@pytest.mark.parametrize("own", [False, True])
def test_an_instrumented_program_is_traced_once_until_it_is_no_longer(instrumented: Recorder, own: bool) -> None:  # noqa: FBT001
    bare, mine = Handlers.bind, Recorder()
    hooks = [mine.tracing] if own else []

    async def traced() -> None:
        async with async_workspace() as slack, App("#jobs", hooks=hooks).connected(slack.app.settings) as queue:
            await queue.post("work")

    anyio.run(traced)
    names = [[span.name for span in each.spans.get_finished_spans()] for each in (instrumented, mine)]
    assert names == ([[], ["post work"]] if own else [["post work"], []])
    SlackMQInstrumentor().uninstrument()
    assert Handlers.bind is not bare
    anyio.run(traced)
    assert len(instrumented.spans.get_finished_spans()) == (0 if own else 1)
    SlackMQInstrumentor().instrument()


def test_an_instrumented_worker_does_its_jobs_within_their_span(instrumented: Recorder) -> None:
    app = App("#jobs")

    @app.task
    def current() -> str:
        return f"{trace.get_current_span().get_span_context().span_id:x}"

    told: list[str] = []

    async def main() -> None:
        async with (
            async_workspace() as slack,
            app.connected(slack.app.settings) as queue,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(AsyncWorker(queue, app.handlers).run)
            told.append(await current.ask())
            tasks.cancel_scope.cancel()

    anyio.run(main)
    spans = {span.name: span.get_span_context() for span in instrumented.spans.get_finished_spans()}
    assert spans["process current"] is not None
    assert told == [f"{spans['process current'].span_id:x}"]

"""Traces that follow a job from its post to its end, across processes.

`pip install 'slackmq[opentelemetry]'`; what becomes of the spans is the business of the SDK that the program sets up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from slackmq.hooks import Claimed, Extended, Failed, Finished, Lost
from slackmq.message import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from opentelemetry.trace import Span, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from slackmq.hooks import Happening
    from slackmq.job import Job
    from slackmq.message import Claim, Message, Post

__all__ = ["Tracing"]

_FORM = TraceContextTextMapPropagator()
_FIELD = "traceparent"


class Tracing:
    """`tracing = Tracing()`, then `App(hooks=[tracing], middleware=[tracing.around])`.

    A post is a span of its own under whatever span is current, and travels in the job's metadata. Each claim is a span
    under it, in whichever process, until the job is done, dead, given back or lost. Inside a handler it is current.

    Args:
        provider: where spans go; None: the global one.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("slackmq", tracer_provider=provider)
        self._open: dict[tuple[str, str], Span] = {}

    def carry(self, post: Post) -> str:
        """The trace that a job shall carry, in the form of the W3C; "" if nobody records it."""
        with self._tracer.start_as_current_span(
            f"post {post.kind}", kind=SpanKind.PRODUCER, attributes={"messaging.system": "slackmq"}
        ):
            carrier: dict[str, str] = {}
            _FORM.inject(carrier)
            return carrier.get(_FIELD, "")

    def __call__(self, happening: Happening) -> None:
        """Open, mark or end the span of a claim."""
        match happening:
            case Claimed(claim=claim):
                self._begin(claim)
            case Extended(claim=claim):
                self._span(claim).add_event("extended", {"slackmq.token": claim.token})
            case Failed(claim=claim, reason=reason):
                self._span(claim).set_status(Status(StatusCode.ERROR, reason))
            case Finished(claim=claim, outcome=outcome, effective=effective):
                span = self._open.pop(_place(claim.message), trace.INVALID_SPAN)
                span.set_attributes({"slackmq.outcome": outcome.value, "slackmq.effective": effective})
                if outcome is Outcome.DONE:
                    span.set_status(Status(StatusCode.OK))
                span.end()
            case Lost(claim=claim, reason=reason):
                span = self._open.pop(_place(claim.message), trace.INVALID_SPAN)
                span.set_status(Status(StatusCode.ERROR, f"lost: {reason}"))
                span.end()
            case _:
                pass  # the rest concerns no claim

    async def around(self, job: Job, call_next: Callable[[], Awaitable[object]]) -> object:
        """Middleware: what a handler records belongs to the span of its claim."""
        with trace.use_span(self._span(job.claim), record_exception=True, set_status_on_exception=False):
            return await call_next()

    def _begin(self, claim: Claim) -> None:
        message = claim.message
        parent = _FORM.extract({_FIELD: message.trace}, Context())  # whatever is current here has nothing to do with it
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "slackmq",
            "messaging.destination.name": message.channel,
            "messaging.message.id": message.ts,
            "slackmq.attempt": claim.attempt,
            "slackmq.token": claim.token,
        }
        self._open[_place(message)] = self._tracer.start_span(
            f"process {message.kind or 'typed'}", context=parent, kind=SpanKind.CONSUMER, attributes=attributes
        )

    def _span(self, claim: Claim) -> Span:
        return self._open.get(_place(claim.message), trace.INVALID_SPAN)


def _place(message: Message) -> tuple[str, str]:
    return message.channel, message.ts

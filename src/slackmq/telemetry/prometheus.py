"""A hook that counts for Prometheus, the only door to `prometheus_client`: `pip install 'slackmq[prometheus]'`."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from slackmq.clock import SYSTEM
from slackmq.hooks import Claimed, Extended, Failed, Finished, Lagged, Lost, Posted, Rejected

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from slackmq.clock import Clock
    from slackmq.hooks import Happening
    from slackmq.message import Claim, Message

__all__ = ["Metrics"]

_TYPED = "typed"
_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)


class Metrics:
    """Counts what happens: `App(hooks=[Metrics()])`, and `prometheus_client.start_http_server(9100)` shows it.

    Args:
        registry: where the figures are kept.
        clock: the time of this process.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._begun: dict[tuple[str, str], float] = {}
        self._posted = Counter("slackmq_posted", "Jobs posted by this process.", ["kind"], registry=registry)
        self._claimed = Counter("slackmq_claimed", "Claims won.", ["kind"], registry=registry)
        self._extended = Counter("slackmq_extended", "Claims extended.", ["kind"], registry=registry)
        self._failed = Counter("slackmq_failed", "Attempts that failed.", ["kind"], registry=registry)
        self._finished = Counter(
            "slackmq_finished", "Claims that ended, by outcome.", ["kind", "outcome"], registry=registry
        )
        self._repeated = Counter(
            "slackmq_repeated", "Jobs done after somebody else had done them.", ["kind"], registry=registry
        )
        self._lost = Counter("slackmq_lost", "Claims that lapsed before they could be extended.", registry=registry)
        self._rejected = Counter("slackmq_rejected", "Messages refused before a handler saw them.", registry=registry)
        self._held = Gauge("slackmq_held", "Claims held by this process now.", registry=registry)
        self._took = Histogram(
            "slackmq_held_seconds", "From claim to end.", ["kind"], buckets=_SECONDS, registry=registry
        )
        self._lag = Gauge("slackmq_lag_seconds", "How late Slack was at worst.", ["of"], registry=registry)

    def __call__(self, happening: Happening) -> None:
        """Count it."""
        match happening:
            case Posted(message=message):
                self._posted.labels(_kind(message)).inc()
            case Claimed(claim=claim):
                self._claimed.labels(_kind(claim.message)).inc()
                self._begun[_place(claim)] = self._clock.monotonic()
            case Extended(claim=claim):
                self._extended.labels(_kind(claim.message)).inc()
            case Failed(claim=claim):
                self._failed.labels(_kind(claim.message)).inc()
            case Finished():
                self._finish(happening)
            case Lost(claim=claim):
                self._lost.inc()
                self._end(claim)
            case Rejected():
                self._rejected.inc()
            case Lagged(reads=reads, events=events):
                self._lag.labels("reads").set(reads.total_seconds())
                self._lag.labels("events").set(events.total_seconds())
            case _ as unreachable:
                assert_never(unreachable)
        self._held.set(len(self._begun))

    def _finish(self, happening: Finished) -> None:
        kind = _kind(happening.claim.message)
        self._finished.labels(kind, happening.outcome.value).inc()
        if not happening.effective:
            self._repeated.labels(kind).inc()
        self._end(happening.claim)

    def _end(self, claim: Claim) -> None:
        begun = self._begun.pop(_place(claim), None)
        if begun is not None:
            self._took.labels(_kind(claim.message)).observe(self._clock.monotonic() - begun)


def _kind(message: Message) -> str:
    return message.kind or _TYPED


def _place(claim: Claim) -> tuple[str, str]:
    return claim.message.channel, claim.message.ts

"""P7: whether an event that comes a second time is marked as a repetition, over two connections of one app."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.errors import Ambiguous
from slackmq.probe.finding import Finding, Verdict, not_probed
from slackmq.probe.plan import WATCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.clock import Clock
    from slackmq.probe.bench import Bench
    from slackmq.probe.plan import Part
    from slackmq.slack.socket import Socket

__all__ = ["Delivery", "judge_deliveries", "withhold"]

_WITHHELD = "its event is not acknowledged at first"
_LATE = 3.0
"""Seconds in which the last post's event must have come."""
_CONNECTIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event that came in.

    Attributes:
        ts: which message it was about.
        connection: on which connection it came, from 0.
        at: when, on this process's monotonic clock.
        attempt: Slack's `retry_attempt`; 0 for an event that is not marked as a repetition.
        withheld: it was not acknowledged, on purpose.
    """

    ts: str
    connection: int
    at: float
    attempt: int = 0
    withheld: bool = False


@dataclass(slots=True, kw_only=True)
class _Ear:
    """What both connections hear of the posts of one bench."""

    clock: Clock
    mark: str
    deliveries: list[Delivery] = field(default_factory=list[Delivery])

    async def listen(self, socket: Socket, connection: int) -> None:
        """Note and acknowledge what comes, until the socket ends."""
        try:
            while True:
                frame = await socket.receive()
                if frame.get("type") == "events_api":
                    if not self._note(frame, connection):
                        await socket.acknowledge(str(frame["envelope_id"]))
                elif "envelope_id" in frame:
                    await socket.acknowledge(str(frame["envelope_id"]))
        except Ambiguous:
            return

    def _note(self, frame: Mapping[str, Any], connection: int) -> bool:
        """Take note of an event; whether it is to remain without an acknowledgement."""
        payload: Mapping[str, Any] = frame.get("payload") or {}
        event: Mapping[str, Any] = payload.get("event") or {}
        text = str(event.get("text") or "")
        if event.get("type") != "message" or not text.startswith(self.mark):
            return False
        ts = str(event.get("ts") or "")
        first = all(delivery.ts != ts for delivery in self.deliveries)
        withheld = first and _WITHHELD in text
        attempt = int(frame.get("retry_attempt") or 0)
        self.deliveries.append(
            Delivery(ts=ts, connection=connection, at=self.clock.monotonic(), attempt=attempt, withheld=withheld)
        )
        return withheld

    @property
    def repeated(self) -> bool:
        """Whether what was withheld has come again."""
        withheld = {delivery.ts for delivery in self.deliveries if delivery.withheld}
        return any(delivery.ts in withheld and not delivery.withheld for delivery in self.deliveries)


async def withhold(bench: Bench, events: int, part: Part) -> Finding:
    """P7: listen on two connections, leave one event without an acknowledgement, and count what comes twice."""
    dial = bench.dial
    if dial is None:
        return not_probed("P7", "There is no app-level token.", "Set SLACK_APP_TOKEN (xapp-…, with connections:write).")
    ear = _Ear(clock=bench.clock, mark=bench.mark)
    begun = len(bench.stamps)
    async with AsyncExitStack() as stack:
        with bench.allowing(part.calls):
            sockets: list[Socket] = []
            for _ in range(_CONNECTIONS):
                ticket = await bench.call("apps.connections.open", {})
                sockets.append(await stack.enter_async_context(dial(str(ticket.body.get("url")))))
            async with anyio.create_task_group() as tasks:
                for number, socket in enumerate(sockets):
                    await _greeted(socket)
                    tasks.start_soon(ear.listen, socket, number)
                await _post_all(bench, events, ear)
                tasks.cancel_scope.cancel()
    # Events of the probes before this one may come too, late: nobody listened when they were due.
    posted = {stamp.ts for stamp in bench.stamps[begun:]}
    own = [delivery for delivery in ear.deliveries if delivery.ts in posted]
    return judge_deliveries(own, posted=len(posted))


async def _greeted(socket: Socket) -> None:
    """Wait for Slack's hello: before it, a connection gets no events."""
    frame = await socket.receive()
    if frame.get("type") != "hello":
        raise Ambiguous(
            f"Slack closed the socket ({frame.get('reason') or frame.get('type')}).",
            method="apps.connections.open",
            remedy="Stop some workers: Slack keeps ten connections an app.",
        )


async def _post_all(bench: Bench, events: int, ear: _Ear) -> None:
    began = bench.clock.monotonic()
    for number in range(1 + events):
        if not bench.affords(2):
            break
        try:
            await bench.post(_WITHHELD if number == 0 else "heard once?")
        except Ambiguous:
            continue
    await bench.clock.sleep(_LATE)
    while not ear.repeated and bench.clock.monotonic() - began < WATCH:
        await bench.clock.sleep(0.25)


def judge_deliveries(deliveries: Sequence[Delivery], *, posted: int) -> Finding:
    """Whether each delivery of an event but the first is marked."""
    first: dict[str, Delivery] = {}
    ordered = sorted(deliveries, key=lambda delivery: delivery.at)
    again = [delivery for delivery in ordered if first.setdefault(delivery.ts, delivery) is not delivery]
    if not first:
        return not_probed(
            "P7", "No event came.", "Subscribe to message.channels, and stop other workers of this app meanwhile."
        )
    unmarked = [delivery for delivery in again if delivery.attempt == 0]
    repeated = next((delivery for delivery in again if first[delivery.ts].withheld), None)
    detail = f"the events of {len(first)} of {posted} posts came, {len(again)} of them twice, {len(unmarked)} unmarked"
    unprobed = ""
    numbers: dict[str, float] = {
        "heard": len(first),
        "posted": posted,
        "repeated": len(again),
        "unmarked": len(unmarked),
    }
    if repeated is None:
        unprobed = f"The mark of a repetition: what was not acknowledged did not come again within {WATCH:.0f} s."
    else:
        origin = first[repeated.ts]
        delay = repeated.at - origin.at
        where = "the same" if repeated.connection == origin.connection else "the other"
        detail += f"; what was not acknowledged came again after {delay:.1f} s on {where} connection"
        numbers |= {"repeated_after_s": delay, "retry_attempt": repeated.attempt}
    return Finding(
        probe="P7",
        verdict=Verdict.BROKEN if unmarked else Verdict.HOLDS,
        tries=len(first),
        broken=len(unmarked),
        detail=detail,
        remedy='Do not use claim="native" here: a handler could run twice.' if unmarked else "",
        unprobed=unprobed,
        numbers=numbers,
    )

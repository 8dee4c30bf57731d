"""A dead letter: what became of a job that will not be tried again, as it stands in the channel for dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEAD", "LONGEST_REASON", "DeadLetter", "enclosed", "opened"]

DEAD = "slackmq_dead"
"""The type of the metadata that makes a message a dead letter."""
LONGEST_REASON = 1_000
"""Characters of a reason that programs are told; people read all of it in the job's thread."""
_VERSION = 2
"""What it reads. It writes 2 where a file has the body, of a batch, and of what is for some processes only: a reader of
1 would post it again as another job. Else it writes 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A job that is dead.

    Attributes:
        channel: id of the channel in which the letter stands.
        ts: its timestamp.
        job: the job as it was posted, in the channel where it was.
        reason: why it is dead.
        attempts: how many executions had begun.
        worker: who gave up.
        shared: whether bots of several apps work the job's channel.
        redriven: whether it was posted again.
    """

    channel: str
    ts: str
    job: Message
    reason: str
    attempts: int
    worker: str = ""
    shared: bool = False
    redriven: bool = False


class _Enclosure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A letter's metadata: flat, because Slack's guidelines ask for flat metadata."""

    v: int
    channel: str
    ts: str
    author: str
    key: str
    reason: str
    attempts: int
    kind: str | None = None
    text: str = ""
    body: str = "{}"
    lease: float | None = None
    priority: int = 0
    origin: str = ""
    on: str = ""
    trace: str = ""
    worker: str = ""
    shared: bool = False
    after: str = ""
    batch: int = 0
    file: str = ""


def enclosed(job: Message, *, reason: str, attempts: int, worker: str, shared: bool) -> dict[str, Any]:
    """The metadata of a letter about a job."""
    enclosure = _Enclosure(
        v=_VERSION if job.file or job.on or job.batch or job.after else 1,
        channel=job.channel,
        ts=job.ts,
        author=job.author,
        key=job.key,
        reason=reason[:LONGEST_REASON],
        attempts=attempts,
        kind=job.kind,
        text="" if job.kind is not None else job.text[:LONGEST_REASON],
        body=msgspec.json.encode(job.body).decode(),
        lease=job.lease.total_seconds() if job.lease else None,
        priority=job.priority,
        origin=job.origin,
        on=job.on,
        trace=job.trace,
        worker=worker,
        shared=shared,
        after=" ".join(job.after),
        batch=job.batch,
        file=job.file,
    )
    payload: dict[str, Any] = msgspec.to_builtins(enclosure)
    return payload


def opened(payload: Mapping[str, Any], *, channel: str, ts: str, redriven: bool = False) -> DeadLetter | None:
    """The letter in a message's metadata; None if there is none that this version can read.

    Args:
        payload: the metadata's payload.
        channel: id of the channel in which the letter stands.
        ts: its timestamp.
        redriven: whether its mark says so.
    """
    try:
        found = msgspec.convert(payload, _Enclosure, strict=False)
        body = msgspec.json.decode(found.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
    if found.v > _VERSION:
        return None
    job = Message(
        channel=found.channel,
        ts=found.ts,
        author=found.author,
        kind=found.kind,
        text=found.text,
        body=body,
        key=found.key,
        lease=None if found.lease is None else timedelta(seconds=found.lease),
        priority=found.priority,
        origin=found.origin,
        after=tuple(found.after.split()),
        batch=found.batch,
        on=found.on,
        trace=found.trace,
        file=found.file,
    )
    return DeadLetter(
        channel=channel,
        ts=ts,
        job=job,
        reason=found.reason,
        attempts=found.attempts,
        worker=found.worker,
        shared=found.shared,
        redriven=redriven,
    )

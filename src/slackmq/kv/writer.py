"""Writer: group commit; what waits while a post is under way goes out together in the next one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import Ambiguous, SlackMQError
from slackmq.kv.errors import ValueRejected
from slackmq.kv.log import WINDOW
from slackmq.kv.record import BODY_LIMIT, FRAME, GROUPS, RECORD, Group, Record, micros, sealed, shown, weight
from slackmq.points import pause
from slackmq.policy import REPOST_AFTER
from slackmq.slack.api import Metadata, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from slackmq.clock import Clock
    from slackmq.kv.record import Chain, Operation
    from slackmq.kv.seal import Seal
    from slackmq.slack.api import Slack

__all__ = ["Ack", "Writer"]

_COMMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Where a group stands in the log.

    Attributes:
        op: its identity.
        at: the ts of a record that has it, in microseconds; where there was no answer, the moment after which
            no copy counts any more.
        index: its place there.
        sure: whether this is certainly the first copy, and stands there.
        sent: when it was sent first, on the monotonic clock of this process.
    """

    op: str
    at: int
    index: int
    sure: bool
    sent: float


@dataclass(slots=True, kw_only=True, eq=False)
class _Letter:
    group: Group
    weight: int
    urgency: Urgency
    done: anyio.Event = field(default_factory=anyio.Event)
    ack: Ack | None = None
    error: SlackMQError | None = None


class Writer:
    """Posts groups of operations, as few posts as possible, each again for as long as it is not answered.

    Args:
        slack: the workspace.
        clock: the time of this process.
        chain: what is known of the log at this moment.
        seal: the channel's: signs records.
    """

    def __init__(self, slack: Slack, *, clock: Clock, chain: Callable[[], Chain], seal: Seal) -> None:
        self.name = clock.new_id()
        self._slack = slack
        self._channel = seal.channel
        self._clock = clock
        self._chain = chain
        self._seal = seal
        self._room = seal.room(BODY_LIMIT)
        self._numbers = count()
        self._waiting: deque[_Letter] = deque()
        self._letters: set[_Letter] = set()
        self._closed: SlackMQError | None = None
        self._wake = anyio.Event()

    async def write(
        self, operations: tuple[Operation, ...], expect: Callable[[str], None], *, urgency: Urgency = Urgency.CLAIM
    ) -> Ack:
        """Write a group into the log.

        Args:
            operations: what it does.
            expect: told the group's identity before it is sent.
            urgency: who goes first when the budget is short.

        Returns:
            Where it stands, or when it will be certain that it does not. It may not count: the replay tells.

        Raises:
            ValueRejected: it is too large for one message; nothing was sent.
            SlackError: Slack refuses.
        """
        group = Group(number=next(self._numbers), operations=operations)
        letter = _Letter(group=group, weight=weight(group), urgency=urgency)
        if letter.weight + _COMMA + FRAME > self._room:
            raise ValueRejected(
                f"This takes {letter.weight:,} characters of a record, which has {self._room:,}; nothing was sent.",
                remedy="Store a part of it in each of several keys, or where both sides can reach it.",
            )
        if self._closed is not None:
            raise self._closed
        expect(f"{self.name}/{group.number}")
        self._letters.add(letter)
        self._waiting.append(letter)
        self._wake.set()
        try:
            await letter.done.wait()
        finally:
            self._letters.discard(letter)
            if letter in self._waiting:
                self._waiting.remove(letter)
        if letter.error is not None:
            raise letter.error
        if letter.ack is None:
            raise AssertionError("unreachable: a letter that is done has an ack or an error")
        return letter.ack

    def close(self, why: SlackMQError, *, posted: SlackMQError | None = None) -> None:
        """Tell all who wait that nothing is posted any more.

        Args:
            why: it is not.
            posted: what to tell those of whose record, posted and not answered, only the log tells; None: the same.
        """
        self._closed = why
        waiting = [each for each in self._letters if not each.done.is_set()]
        _fail([each for each in waiting if each in self._waiting], why)
        _fail([each for each in waiting if each not in self._waiting], posted or why)

    async def run(self) -> None:
        """Post what waits, until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                if not self._waiting:
                    self._wake = anyio.Event()
                    await self._wake.wait()
                await self._post(self._next(), tasks)

    def _next(self) -> list[_Letter]:
        """What goes out in one post: as much as fits, in the order of asking."""
        letters: list[_Letter] = []
        left = self._room - FRAME
        while self._waiting and len(letters) < GROUPS and self._waiting[0].weight + _COMMA <= left:
            letter = self._waiting.popleft()
            left -= letter.weight + _COMMA
            letters.append(letter)
        return letters

    async def _post(self, letters: list[_Letter], tasks: TaskGroup) -> None:
        record = Record(
            writer=self.name,
            born=round(self._slack.now() * 1_000_000),
            groups=tuple(letter.group for letter in letters),
            chain=self._chain(),
        )
        sent = self._clock.monotonic()
        try:
            at = await self._send(record, letters)
        except Ambiguous:
            tasks.start_soon(self._insist, record, letters, sent)
        except SlackMQError as error:
            _fail(letters, error)
        else:
            self._done(record, letters, at, sure=True, sent=sent)

    async def _insist(self, record: Record, letters: list[_Letter], sent: float) -> None:
        """Post a record again until it is answered, or until no copy would count any more."""
        last = sent
        while True:
            await self._clock.sleep(REPOST_AFTER - (self._clock.monotonic() - last))
            if self._slack.now() * 1_000_000 > record.born + WINDOW:
                self._done(record, letters, record.born + WINDOW, sure=False, sent=sent)
                return
            last = self._clock.monotonic()
            try:
                at = await self._send(record, letters)
            except Ambiguous:
                continue
            except SlackMQError as error:
                _fail(letters, Ambiguous(f"It may have been written: {error}", method="chat.postMessage"))
            else:
                self._done(record, letters, at, sure=False, sent=sent)
            return

    async def _send(self, record: Record, letters: list[_Letter]) -> int:
        payload = sealed(record, seal=self._seal)
        await pause("before_post")
        ts = await self._slack.post(
            self._channel,
            shown(record, hides=self._seal.hides),
            metadata=Metadata(type=RECORD, payload=payload),
            urgency=min(letter.urgency for letter in letters),
        )
        await pause("producer_before_ack")
        return micros(ts)

    def _done(self, record: Record, letters: list[_Letter], at: int, *, sure: bool, sent: float) -> None:
        for index, letter in enumerate(letters):
            # A record that stands there too late counts for nothing.
            prompt = sure and at <= record.born + WINDOW
            letter.ack = Ack(op=record.op(letter.group), at=at, index=index, sure=prompt, sent=sent)
            letter.done.set()


def _fail(letters: list[_Letter], error: SlackMQError) -> None:
    for letter in letters:
        letter.error = error
        letter.done.set()

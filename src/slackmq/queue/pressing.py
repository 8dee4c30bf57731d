"""Pressing: takes presses of the buttons under questions, of any job of the app, and writes them into its thread."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

import anyio

from slackmq.approval import asked, first_press
from slackmq.errors import Ambiguous, MessageGone, SlackError
from slackmq.message import Message, Mrkdwn
from slackmq.notes import Note, Record
from slackmq.queue.ballot import ACTIONS, named, pressed, verdict
from slackmq.slack.api import Pressed, Urgency

if TYPE_CHECKING:
    from slackmq.approval import Choice, Press, Question
    from slackmq.queue.parts import Parts
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import HomeOpened

__all__ = ["Pressing"]

_log = logging.getLogger("slackmq.approval")
_HANDS = 4
"""So many presses are looked at at once."""
_WAITING = 100
"""So many presses wait to be looked at; of more the last are dropped, and their people press again."""


class Pressing:
    """Takes presses. Nothing is kept here: Slack gives each press to any one process of the app.

    Args:
        parts: what the queue is made of.
        watch: what reads the channel.
    """

    def __init__(self, parts: Parts, watch: Watch) -> None:
        self._parts = parts
        self._watch = watch
        self._waiting: deque[Pressed] = deque()
        self._news = anyio.Event()
        parts.events.tell(self._notice)

    def _notice(self, event: Pressed | HomeOpened) -> None:
        if not isinstance(event, Pressed) or event.action not in ACTIONS or event.thread is None:
            return
        if len(self._waiting) == _WAITING:
            _log.warning("%d presses wait; one by %s was dropped", _WAITING, event.user)
            return
        self._waiting.append(event)
        self._news.set()

    async def run(self) -> None:
        """Take presses until cancelled."""
        async with anyio.create_task_group() as tasks:
            for _ in range(_HANDS):
                tasks.start_soon(self._take_all)

    async def _take_all(self) -> None:
        while True:
            while self._waiting:
                await self._take(self._waiting.popleft())
            if self._news.is_set():
                self._news = anyio.Event()
            await self._news.wait()

    async def _take(self, press: Pressed) -> None:
        try:
            refused = await self._count(press)
        except Ambiguous as error:
            _log.warning("a press by %s does not count, as Slack does not answer: %s", press.user, error)
            refused = "Slack did not answer; press again."
        except SlackError as error:
            _log.warning("a press by %s does not count: %s", press.user, error)
            refused = "Slack did not let it be written down."
        if refused:
            await self._whisper(press, refused)

    async def _count(self, press: Pressed) -> str:
        """Write a press down; "" if it counts, and why not if it does not."""
        record = Record()
        thread = Message(channel=press.channel, ts=press.thread or "", author="", key="")
        try:
            found = await self._found(press, thread, record)
        except MessageGone:
            return "The job is gone."
        if found is None:
            return "This button belongs to no question that stands here."
        question = found[1]
        if (refused := await self._refused(press, question, record)) is not None:
            return refused
        await self._write(thread, press, question, record)
        try:
            return await self._decided(press, found, thread, record)
        except SlackError as error:
            _log.warning("a press by %s is written down, and what it decided cannot be shown: %s", press.user, error)
            return ""

    async def _decided(self, press: Pressed, found: tuple[str, Question], thread: Message, record: Record) -> str:
        """Show what was decided once a press is written down; "" if by this one, and else why it came too late."""
        await self._read_settled(thread, record)
        first = first_press(record, found[1])
        for ts in {found[0], press.ts}:
            await self._parts.slack.edit(press.channel, ts, verdict(found[1], first), blocks=())
        return "" if first is not None and first.by == press.user else _too_late(first)

    async def _found(self, press: Pressed, thread: Message, record: Record) -> tuple[str, Question] | None:
        """The question that the button belongs to, and its timestamp; read again later where none is to be seen yet."""
        bot, job = (await self._parts.slack.identity()).user, f"{thread.channel}/{thread.ts}"
        await self._parts.thread.read(thread, record, urgency=Urgency.CLAIM)
        if (found := asked(record, press.value, bot=bot, job=job)) is None:
            await self._read_settled(thread, record)
            found = asked(record, press.value, bot=bot, job=job)
        return found

    async def _read_settled(self, thread: Message, record: Record) -> None:
        """Read the thread so late that nothing is missed that stood there before."""
        await self._parts.clock.sleep(self._watch.lag.skew)
        await self._parts.thread.read(thread, record, urgency=Urgency.CLAIM)

    async def _refused(self, press: Pressed, question: Question, record: Record) -> str | None:
        """Why a press does not count; None if it may."""
        if press.user == question.asker:
            return "You asked for this job, so somebody else must decide."
        if press.user not in await self._parts.roles.among(question.by):
            return f"Only {named(question.by)} may decide this."
        if (first := first_press(record, question)) is not None or self._parts.slack.now() > question.until:
            return _too_late(first)
        row = await self._parts.slack.row(press.channel, press.thread or "")
        if row is None or self._parts.marks.of_row(row, question.bot).ended is not None:
            return "The job has ended."
        return None

    async def _write(self, thread: Message, press: Pressed, question: Question, record: Record) -> None:
        choice: Choice = ACTIONS[press.action]
        note = Note(
            note="press",
            op=self._parts.clock.new_id(),
            token=0,
            worker=self._parts.worker,
            result=choice,
            why=press.user,
            about=question.ident,
        )
        await self._parts.thread.write(thread, note, pressed(choice, press.user), record, urgency=Urgency.CLAIM)
        sighting = self._parts.sightings.get(thread.ts)
        if sighting is not None and sighting.message.channel == thread.channel and note.op in record.entries:
            sighting.latest_reply = record.entries[note.op][0]
            self._watch.wake()  # whoever waits for it here need not wait until the channel is read

    async def _whisper(self, press: Pressed, text: str) -> None:
        try:
            await self._parts.slack.surfaces.whisper(press.channel, press.user, Mrkdwn(text), thread=press.thread)
        except SlackError as error:
            _log.info("%s cannot be told that a press does not count: %s", press.user, error)


def _too_late(first: Press | None) -> str:
    return "It is too late: nobody decided in time." if first is None else f"It is too late: <@{first.by}> decided."

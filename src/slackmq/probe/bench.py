"""Where probes work: a channel, one or two apps, a budget of calls; what was put there is remembered and removed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.errors import Ambiguous, MessageGone, Refused, SlackMQError
from slackmq.slack.api import Urgency
from slackmq.slack.caller import is_limited, settled
from slackmq.slack.pacing import Pacing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from slackmq.clock import Clock
    from slackmq.slack.socket import Socket
    from slackmq.slack.wire import Reply, Wire

    Dial = Callable[[str], AbstractAsyncContextManager[Socket]]

__all__ = ["SIGNATURE", "Answer", "Bench", "Outcome", "Spent", "Stamp"]

SIGNATURE = "slackmq doctor "
"""How every text that is posted here begins, so that whatever is left can be told from everything else."""
_LOOKS = 2
"""Reads that tidying may need: for posts that went unanswered, and for Slack's notices about pins."""
_KEPT = 20
"""The twentieth part of all calls is kept for tidying: some of them will be refused as one too many."""
_REST = 3.0
"""Seconds to wait after "too many" where Slack names no time."""


class Spent(SlackMQError):
    """The calls of a probe are used up."""


class Outcome(Enum):
    """How one of several calls for the same thing ended."""

    WON = "won"
    BEATEN = "beaten"
    LIMITED = "limited"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A call that took effect.

    Attributes:
        sent: when it was sent, on this process's monotonic clock.
        answered: when its answer was here, on the same clock.
        date: the Date header in seconds since 1970; None if there was none.
    """

    sent: float
    answered: float
    body: Mapping[str, Any]
    date: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A post, and what Slack said of its time.

    Attributes:
        ts: its timestamp.
        app: which of the apps posted it, from 0.
        sent: when it was sent, on this process's monotonic clock.
        answered: when its answer was here.
        date: the Date header of the answer.
    """

    ts: str
    app: int
    sent: float
    answered: float
    date: float | None


class Bench:
    """Calls to Slack for probes, counted.

    Args:
        wires: one line for each app.
        channel: id of the scratch channel.
        clock: the time of this process.
        calls: at most so many calls, removing what was posted included.
        paced: whether to keep within Slack's published limits.
        dial: opens a socket at an address; None if Socket Mode cannot be used.

    Attributes:
        mark: stands in every text that is posted here, and nowhere else.
        stamps: every post so far.
        spent: calls sent so far.
        dial: as given.
        reserved: so many calls are left to what comes later.
    """

    def __init__(
        self, wires: Sequence[Wire], channel: str, *, clock: Clock, calls: int, paced: bool, dial: Dial | None = None
    ) -> None:
        self.clock = clock
        self.channel = channel
        self.dial = dial
        self.mark = f"{SIGNATURE}{clock.new_id()[:12]}"
        self.stamps: list[Stamp] = []
        self.spent = 0
        self.reserved = 0
        self._wires = tuple(wires)
        self._pacings = tuple(Pacing(clock) for _ in self._wires)
        self._paced = paced
        self._calls = calls
        self._looks = _LOOKS
        self._owed = _LOOKS
        self._allowed = calls
        self._pinned: dict[str, int] = {}
        self._posted: dict[str, int] = {}
        self._users: dict[str, int] = {}
        self._noticed = 0
        self._lost = False

    @property
    def apps(self) -> int:
        """How many apps there are: 1 or 2."""
        return len(self._wires)

    @contextmanager
    def allowing(self, calls: int) -> Generator[None]:
        """Let the calls inside be at most so many; the one that would be too many ends the block, quietly.

        What nobody needs later may be spent too: a call that Slack refuses as one too many is a call.
        """
        free = self._calls - self.reserved - self._calls // _KEPT
        self._allowed = min(self._calls, max(self.spent + self._owed + calls, free))
        try:
            yield
        except* Spent:
            pass
        finally:
            self._allowed = self._calls

    def affords(self, calls: int) -> bool:
        """Whether so many more calls may be sent."""
        return self.spent + self._owed + calls <= self._allowed

    async def ready(self, method: str, calls: int = 1, *, app: int = 0) -> None:
        """Wait until calls of a method may be sent at once."""
        if self._paced:
            for _ in range(calls):
                await self._pacings[app].admit(method, Urgency.SCAN, self.channel)

    async def call(self, method: str, args: Mapping[str, object], *, app: int = 0, ready: bool = False) -> Answer:
        """Send one call, again if it was one too many.

        Args:
            method: as "chat.postMessage".
            args: its arguments.
            app: which app calls.
            ready: its place in the method's budget was waited for already.

        Raises:
            Refused: it did not take effect.
            Ambiguous: it may have.
            Spent: there is no call left.
        """
        while True:
            if not ready:
                await self.ready(method, app=app)
            reply, sent = await self._send(method, args, app)
            if not is_limited(reply):
                body = settled(method, reply)
                return Answer(sent=sent, answered=self.clock.monotonic(), body=body, date=reply.date)
            ready = False
            await self._rest(method, reply, app)

    async def volley(
        self, method: str, args: Mapping[str, object], *, clients: int, taken: str, apps: int
    ) -> tuple[Outcome, ...]:
        """Send the same call from several clients at once.

        Args:
            method: as "reactions.add".
            args: its arguments.
            clients: how many.
            taken: Slack's code for "somebody else was first".
            apps: so many apps take turns.
        """
        if not self.affords(clients):
            raise Spent("There are no calls left for another volley.")
        for app in range(apps):
            await self.ready(method, len(range(app, clients, apps)), app=app)
        outcomes: list[Outcome] = []

        async def one(app: int) -> None:
            outcomes.append(await self._try(method, args, app, taken))

        async with anyio.create_task_group() as tasks:
            for client in range(clients):
                tasks.start_soon(one, client % apps)
        return tuple(outcomes)

    async def _try(self, method: str, args: Mapping[str, object], app: int, taken: str) -> Outcome:
        try:
            reply, _ = await self._send(method, args, app)
            if is_limited(reply):
                await self._rest(method, reply, app)
                return Outcome.LIMITED
            settled(method, reply)
        except Ambiguous:
            return Outcome.UNANSWERED
        except Refused as error:
            if error.code != taken:
                raise
            return Outcome.BEATEN
        if method == "pins.add":
            self._owe_unpin(str(args["timestamp"]), app)
        return Outcome.WON

    async def post(self, label: str, *, app: int = 0, **more: object) -> Stamp:
        """Post a message that will be removed.

        Raises:
            Refused: Slack does not take it.
            Ambiguous: it may stand there.
            Spent: there are no calls left to post and to remove it.
        """
        if not self.affords(2):
            raise Spent("There are no calls left to post and to remove a message.")
        args: dict[str, object] = {"channel": self.channel, "text": f"{self.mark}: {label}", **more}
        try:
            answer = await self.call("chat.postMessage", args, app=app)
        except Ambiguous:
            self._lost = True
            raise
        ts = str(answer.body["ts"])
        message: Mapping[str, Any] = answer.body.get("message") or {}
        self._users[str(message.get("user") or "")] = app
        stamp = Stamp(ts=ts, app=app, sent=answer.sent, answered=answer.answered, date=answer.date)
        self.stamps.append(stamp)
        if ts not in self._posted:
            self._posted[ts] = app
            self._owed += 1
        return stamp

    async def pin(self, ts: str) -> None:
        """Pin a message; it will be unpinned."""
        if not self.affords(3):
            raise Spent("There are no calls left to pin a message, to unpin it, and to remove the notice of it.")
        await self.call("pins.add", {"channel": self.channel, "timestamp": ts})
        self._owe_unpin(ts, 0)

    async def unpin(self, ts: str) -> None:
        """Take the pin off again, if it is one of ours."""
        if ts in self._pinned:
            app = self._pinned.pop(ts)
            self._owed -= 1
            await self.call("pins.remove", {"channel": self.channel, "timestamp": ts}, app=app)

    def adopt(self, left: Mapping[str, int]) -> None:
        """Remember messages of an earlier examination (ts -> app), to be removed with those of this one."""
        for ts, app in left.items():
            if ts not in self._posted and self.affords(1):
                self._posted[ts] = app
                self._owed += 1

    @property
    def remaining(self) -> int:
        """How many messages of ours stand there, as far as this process knows."""
        return len(self._posted)

    async def tidy(self) -> int:
        """Remove everything that was put there; returns how much could not be removed.

        That is always paced: calls that are refused would be missing at the end.
        """
        self._paced = True
        self._owed -= self._looks
        self._looks = 0
        left = await self._find_lost()
        for ts in list(self._pinned):
            try:
                await self.unpin(ts)
            except (Refused, Ambiguous, Spent):
                left += 1
        for ts, app in list(self._posted.items()):
            self._owed -= 1  # for the very call that it was owed for
            try:
                left += await self._delete(ts, app)
            except BaseException:  # cancelled: the message may stand there still
                self._owed += 1
                raise
            del self._posted[ts]
        return left + await self._remove_notices()

    async def _remove_notices(self) -> int:
        """Remove what Slack posted about our pins (docs.slack.dev/reference/events/message/pinned_item)."""
        self._owed -= self._noticed
        expected, self._noticed = self._noticed, 0
        if not expected:
            return 0
        oldest = min((stamp.ts for stamp in self.stamps), default="0")
        left = 0
        try:
            found = await self.call("conversations.history", {"channel": self.channel, "oldest": oldest, "limit": 200})
            for row in found.body.get("messages") or ():
                if row.get("subtype") == "pinned_item" and (app := self._users.get(str(row.get("user")))) is not None:
                    left += await self._delete(str(row["ts"]), app)
        except (Refused, Ambiguous, Spent):
            return left + 1
        return left

    async def _delete(self, ts: str, app: int) -> int:
        try:
            await self.call("chat.delete", {"channel": self.channel, "ts": ts}, app=app)
        except MessageGone:
            return 0
        except (Refused, Ambiguous, Spent):
            return 1
        return 0

    async def _find_lost(self) -> int:
        """Look for posts that were never answered and stand there all the same; 1 if that could not be seen."""
        if not self._lost:
            return 0
        oldest = min((stamp.ts for stamp in self.stamps), default="0")
        args = {"channel": self.channel, "oldest": oldest, "inclusive": True, "limit": 200}
        try:
            found = await self.call("conversations.history", args)
        except (Refused, Ambiguous, Spent):
            return 1
        for row in found.body.get("messages") or ():
            if str(row.get("text") or "").startswith(self.mark) and row["ts"] not in self._posted:
                self._posted[row["ts"]] = 0
                self._owed += 1
        return 0

    def _owe_unpin(self, ts: str, app: int) -> None:
        if ts not in self._pinned:
            self._pinned[ts] = app
            self._noticed += 1
            self._owed += 2

    async def _send(self, method: str, args: Mapping[str, object], app: int) -> tuple[Reply, float]:
        if not self.affords(1):
            raise Spent("There is no call left.")
        self.spent += 1
        sent = self.clock.monotonic()
        return await self._wires[app].call(method, args), sent

    async def _rest(self, method: str, reply: Reply, app: int) -> None:
        """Slack said "too many": whoever is paced waits in the line, whoever is not waits here."""
        self._pacings[app].limited(method, reply.retry_after, self.channel)
        if not self._paced:
            await self.clock.sleep(_REST if reply.retry_after is None else reply.retry_after)

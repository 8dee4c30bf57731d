"""One workspace, one order of calls: every write is in the journal before it takes effect, and in the same order."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from slackmq.emulator.journal import Journal, JournalError
from slackmq.emulator.model import Outcome
from slackmq.emulator.receipts import HORIZON
from slackmq.emulator.workspace import NOBODY, Workspace, is_open, is_write

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from contextvars import Context
    from pathlib import Path

    from slackmq.emulator.limits import Limits
    from slackmq.emulator.model import Caller
    from slackmq.emulator.seed import Seed

__all__ = ["Answer", "Done", "Server", "wall_clock"]

_T = TypeVar("_T")
_NOT_TOLD = "(not told: it holds the secrets of the app)"
_log = logging.getLogger("slackmq.emulator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back to a caller.

    Attributes:
        status: the HTTP status.
        reply: Slack's JSON object.
        caller: whom the token stands for; None if it was refused.
        retry_after: seconds to wait, if the call came too often.
    """

    reply: Mapping[str, Any]
    status: int = 200
    caller: Caller | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A write call that was applied, for those who listen.

    Attributes:
        at: when, in microseconds since 1970.
    """

    at: int
    method: str
    args: Mapping[str, object]
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """How a write call ended: Slack's error code or "", and the ts of the message it made, if any."""

    error: str
    ts: str

    @classmethod
    def of(cls, reply: Mapping[str, Any]) -> _Verdict:
        return cls(error=reply.get("error", ""), ts=reply.get("ts", ""))


@dataclass(slots=True, kw_only=True)
class _Turn:
    """A write call that stands in line. `context` is its caller's; `reply` may be cancelled meanwhile."""

    caller: Caller
    method: str
    args: Mapping[str, object]
    context: Context
    reply: asyncio.Future[Mapping[str, Any]]

    def end(self, reply: Mapping[str, Any]) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)

    def fail(self, error: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)


def wall_clock() -> int:
    """Microseconds since 1970 by the clock of this machine: the emulator's only door to time."""
    return time.time_ns() // 1000


class Server:
    """The one owner of a running workspace; `Server.opened` builds one.

    Writes stand in one line: append to the journal (on a thread of its own, so nobody else waits for the disk), then
    apply. Those that came while others were written go into the next transaction together. A restart replays the
    journal and comes out where this run stood. Reads do not wait.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        disk: ThreadPoolExecutor,
        limits: Limits,
        clock: Callable[[], int] = wall_clock,
        origin: str = "https://slack.com",
    ) -> None:
        self._journal = journal
        self._workspace = Workspace(journal.seed, origin=origin)
        self._disk = disk
        self._limits = limits
        self._clock = clock
        self._last = 0
        self._ahead = 0
        self._leader: Server | None = None
        self._verdicts: list[_Verdict] = []
        self._line: list[_Turn] = []
        self._writing: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Done], None]] = []
        self._movers: list[Callable[[], object]] = []
        self._recent: list[Done] = []

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        data: Path | None,
        *,
        seed: Seed,
        limits: Limits,
        clock: Callable[[], int] = wall_clock,
        origin: str = "https://slack.com",
    ) -> AsyncGenerator[Server]:
        """Open the data file, or make it, and come out where its last run stood; close it on leaving.

        Args:
            data: the journal's file; None keeps the workspace in memory only.
            seed: the beginning of a new workspace; an existing file has its own.
            limits: how often methods may be called.
            clock: microseconds since 1970.
            origin: scheme and host of the addresses that replies hold.

        Raises:
            JournalError: the file cannot be used; the error carries a remedy.
        """
        # SQLite's connection belongs to the thread that opened it, so all of it happens on this one.
        disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        loop = asyncio.get_running_loop()
        try:
            journal = await loop.run_in_executor(disk, lambda: Journal(data, seed=seed))
            try:
                server = cls(journal=journal, disk=disk, limits=limits, clock=clock, origin=origin)
                with _no_collections():
                    await loop.run_in_executor(disk, server._replay)
                yield server
            finally:
                # The thread does one thing after the other: whatever is being written comes first.
                await asyncio.shield(loop.run_in_executor(disk, journal.close))
        finally:
            disk.shutdown(wait=False)

    @property
    def workspace(self) -> Workspace:
        """What the calls act upon; only this server applies writes to it."""
        return self._workspace

    def now(self) -> int:
        """Microseconds since 1970, never earlier than anything that happened before, earlier runs included."""
        self._last = max(self._clock() + self._ahead, self._last)
        return self._last

    def move(self, seconds: float) -> None:
        """Put the clock forward: what becomes due by it happens at once, rate limits flow back, tickets run out.

        Raises:
            ValueError: time does not go back.
        """
        if seconds < 0:
            raise ValueError("The clock goes forward only: what happened cannot happen later than now.")
        if self._leader is not None:  # whose movers tell ours
            self._leader.move(seconds)
            return
        self._ahead += round(seconds * 1_000_000)
        self._tell_movers()

    def follow(self, leader: Server) -> None:
        """Share the clock of another workspace, whose `now` is this one's clock: both go forward, or neither.

        If this one was further ahead in an earlier run, the other is put forward to it.
        """
        ahead, self._ahead, self._leader = self._ahead, 0, leader
        leader.move(ahead / 1_000_000)
        leader.when_moved(self._tell_movers)

    def when_moved(self, told: Callable[[], object]) -> None:
        """Have `told` called whenever somebody put the clock forward."""
        self._movers.append(told)

    def recent(self) -> list[Done]:
        """The writes of earlier runs within the horizon of deliveries, for those who go on where those runs ended."""
        return self._recent

    def listen(self, listener: Callable[[Done], None]) -> None:
        """Have `listener` told of every write, in order, before its caller gets the answer."""
        self._listeners.append(listener)

    def ignore(self, listener: Callable[[Done], None]) -> None:
        """Tell a listener nothing more."""
        self._listeners.remove(listener)

    async def call(self, token: str | None, method: str, args: Mapping[str, object]) -> Answer:
        """Do what somebody with a token asks, within the rate limits."""
        caller = NOBODY if token is None and is_open(method) else self._workspace.authorize(token)
        if isinstance(caller, str):
            return Answer(reply={"ok": False, "error": caller})
        wait = self._limits.take(self.now(), self._workspace.toll(caller, method, args))
        if wait is not None:
            return Answer(status=429, reply={"ok": False, "error": "ratelimited"}, caller=caller, retry_after=wait)
        try:
            return Answer(reply=await self._apply(caller, method, args), caller=caller)
        except JournalError as error:
            _cry(method, error)
            return Answer(status=500, reply={"ok": False, "error": "internal_error"}, caller=caller)

    async def act(self, caller: Caller, method: str, args: Mapping[str, object]) -> Mapping[str, Any]:
        """Do what a known caller asks, without rate limits: the page's reader and the operator are no apps."""
        try:
            return await self._apply(caller, method, args)
        except JournalError as error:
            _cry(method, error)
            return {"ok": False, "error": "internal_error", "detail": str(error)}

    def ask(self, caller: Caller, method: str, args: Mapping[str, object]) -> Mapping[str, Any]:
        """Read, at once and without rate limits.

        Raises:
            ValueError: the method changes the workspace.
        """
        if is_write(method):
            raise ValueError(f"{method} changes the workspace: it must go through the journal.")
        return self._workspace.apply(self.now(), caller, method, args).reply

    async def record(self, since: int) -> list[dict[str, Any]]:
        """Every write call after number `since`, and how it ended: what really happened, and in which order."""
        entries = await self._on_disk(lambda: list(self._journal.record(since)))
        return [
            {
                "seq": entry.number,
                "at": entry.at,
                "app": entry.caller.app,
                "user": entry.caller.user,
                "method": entry.method,
                "args": _told(entry.method, entry.args),
                "ok": not verdict.error,
                "error": verdict.error,
                "ts": verdict.ts,
            }
            # One that was appended but not applied yet has no verdict: it belongs to the next record.
            for entry, verdict in zip(entries, self._verdicts[since:], strict=False)
        ]

    def _tell_movers(self) -> None:
        for told in self._movers:
            told()

    def _replay(self) -> None:
        self._ahead = max(0, self._journal.latest() - self._clock())  # a clock that was put forward goes on from there
        horizon = self._clock() + self._ahead - HORIZON
        for now, caller, method, args in self._journal.replay():
            outcome = self._outcome(now, caller, method, args)
            self._verdicts.append(_Verdict.of(outcome.reply))
            self._last = now
            if now > horizon and outcome.events:
                self._recent.append(Done(at=now, method=method, args=args, outcome=outcome))

    async def _apply(self, caller: Caller, method: str, args: Mapping[str, object]) -> Mapping[str, Any]:
        if not is_write(method):
            return self._outcome(self.now(), caller, method, args).reply
        loop = asyncio.get_running_loop()
        turn = _Turn(caller=caller, method=method, args=args, context=copy_context(), reply=loop.create_future())
        self._line.append(turn)
        if self._writing is None:  # a task of its own: a cancelled caller must not leave an entry without effect
            self._writing = loop.create_task(self._write())
        return await turn.reply

    async def _write(self) -> None:
        """Let the line take effect, until it is empty."""
        while self._line:
            turns, self._line = self._line, []
            first = self.now()
            calls = [(first + place, turn.caller, turn.method, turn.args) for place, turn in enumerate(turns)]
            self._last = first + len(turns) - 1
            try:
                await self._on_disk(partial(self._journal.append_all, calls))
            except Exception as error:  # noqa: BLE001  # whatever it is, it is those who wait that must hear of it
                for turn in turns:
                    turn.fail(error)
            else:
                for (at, *_), turn in zip(calls, turns, strict=True):
                    turn.context.run(self._take_effect, at, turn)
        self._writing = None

    def _take_effect(self, at: int, turn: _Turn) -> None:
        try:
            outcome = self._outcome(at, turn.caller, turn.method, turn.args)
            self._verdicts.append(_Verdict.of(outcome.reply))
            done = Done(at=at, method=turn.method, args=turn.args, outcome=outcome)
            for listener in [*self._listeners]:
                listener(done)
        except Exception as error:  # noqa: BLE001  # a mistake of one listener must not end the line
            turn.fail(error)
        else:
            turn.end(outcome.reply)

    def _outcome(self, at: int, caller: Caller, method: str, args: Mapping[str, object]) -> Outcome:
        """What a call does. A mistake in one method is internal_error, at once and when the journal is replayed."""
        try:
            return self._workspace.apply(at, caller, method, args)
        except Exception:  # noqa: BLE001  # whatever it is: a restart must not stumble over it
            _log.exception("A mistake of the local Slack's own in %s", method)
            return Outcome(reply={"ok": False, "error": "internal_error"})

    async def _on_disk(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


@contextmanager
def _no_collections() -> Generator[None]:
    """Replaying leaves no cycles behind: to look for them in a heap that only grows costs a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _told(method: str, args: Mapping[str, object]) -> Mapping[str, object]:
    """What a record tells of a call's arguments: not the secrets with which an app is handed over."""
    return {**args, "app": _NOT_TOLD} if method == "emulator.apps.adopt" and "app" in args else args


def _cry(method: str, error: JournalError) -> None:
    """The caller only learns internal_error, as from Slack; whoever runs the emulator must hear why."""
    print(f"slackmq emulator: {method} was not done: {error}", file=sys.stderr, flush=True)  # noqa: T201  # to the operator

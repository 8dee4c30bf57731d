"""World: one workspace in virtual time, what may go wrong with it, and the record of what happened."""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slackmq.emulator.limits import PER_MINUTE, Limits, Rate
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed, SeedApp, SeedChannel, SeedPerson
from slackmq.emulator.workspace import OPERATOR, Workspace, is_write
from slackmq.simulation.faults import Plan
from slackmq.simulation.record import Called, Disturbed, Record
from slackmq.simulation.socket import Socket
from slackmq.simulation.visibility import EPOCH, READS, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slackmq.simulation.faults import Faults
    from slackmq.simulation.record import Asked

__all__ = ["EPOCH", "World", "later"]

_PEOPLE = ("you", "colleague")
_FANS = (*_PEOPLE, "guest", "visitor")


def later(delay: float, callback: Callable[..., object], *args: object) -> None:
    """Let something happen outside every process, so that it happens whoever is stopped or dead."""
    asyncio.get_running_loop().call_later(delay, callback, *args, context=contextvars.Context())


class World:
    """A workspace with some apps, a few people, a channel "#jobs", and others beside it.

    Args:
        seed: decides everything.
        faults: what may go wrong.
        apps: how many apps share the work.
        beside: the names of other channels.
    """

    def __init__(self, seed: int, faults: Faults, *, apps: int = 1, beside: Sequence[str] = ()) -> None:
        self.plan = Plan(seed, faults)
        self.record = Record()
        self.workspace = Workspace(
            Seed(
                created=EPOCH - 1,
                people=tuple(SeedPerson(name=name) for name in (_FANS if faults.fills else _PEOPLE)),
                channels=(SeedChannel(name="jobs"), *(SeedChannel(name=name) for name in beside)),
                apps=tuple(SeedApp(name=f"slackmq{number or ''}") for number in range(apps)),
            )
        )
        self.outage, self.outage_until = "", 0.0
        """What Slack refuses every call with, and until when."""
        self.asked: list[Asked] = []
        """Every call that was sent, reads included."""
        self.under_way = 0
        """Calls that were sent and have not taken effect yet."""
        self.files: dict[str, bytes] = {}
        """The bytes of files that were uploaded."""
        self.apps = self._list("emulator.apps.list", "apps")
        self.app = self.apps[0]
        self.people = [user for user in self._list("emulator.users.list", "users") if user.get("token")]
        self.person = self.people[0]
        self.channel = self._list("emulator.channels.list", "channels")[0]["id"]
        self._sockets = {app["id"]: Socket(app["id"], self.plan) for app in self.apps}
        self._limits = _strict() if faults.limits else Limits.off()
        self._visibility = Visibility(self.plan)

    def _list(self, method: str, key: str) -> list[Any]:
        return list(self.workspace.apply(EPOCH * 1_000_000, OPERATOR, method, {}).reply[key])

    def app_of(self, process: str) -> Mapping[str, Any]:
        """The app whose token a process has: workers take turns, "w2b" is the second place."""
        app: Mapping[str, Any] = self.apps[self.place_of(process)]
        return app

    def place_of(self, process: str) -> int:
        """The number of a process's app."""
        place = process.lstrip("w")[:1]
        return (int(place) - 1) % len(self.apps) if place.isdigit() else 0

    def socket_of(self, process: str) -> Socket:
        """The Socket Mode of a process's app."""
        return self._sockets[self.app_of(process)["id"]]

    def authorize(self, token: str) -> Caller:
        """Whom a token stands for.

        Raises:
            ValueError: nobody.
        """
        caller = self.workspace.authorize(token)
        if isinstance(caller, Caller):
            return caller
        raise ValueError(f"this token is refused: {caller}")

    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return asyncio.get_running_loop().time()

    def disturbed(self, process: str, what: str) -> None:
        """Write down that something was broken on purpose."""
        self.record.add(Disturbed(at=self.now, process=process, what=what))

    def keep(self, ident: str, content: bytes) -> int:
        """Keep the bytes of a file; returns the HTTP status of who sent them."""
        self.files[ident] = content
        args = {"file": ident, "length": len(content)}
        kept = self.workspace.apply(self.micros(), OPERATOR, "emulator.files.uploaded", args).reply["ok"]
        return 200 if kept else 404

    def limited(self, caller: Caller, method: str, args: Mapping[str, object]) -> int | None:
        """Whole seconds to wait if a call is one too many, None if it may go on."""
        return self._limits.take(self.micros(), self.workspace.toll(caller, method, args))

    def apply(
        self, caller: Caller, method: str, args: Mapping[str, object], *, process: str, sent: float
    ) -> Mapping[str, Any]:
        """Let a call take effect now; returns what Slack answers."""
        now, micros = self.now, self.micros()
        outcome = self.workspace.apply(micros, caller, method, args)
        reply = outcome.reply
        if method in READS:
            return self._visibility.shown(reply, now=now) if reply["ok"] else reply
        if is_write(method):
            called = Called(at=now, sent=sent, process=process, method=method, args=args, reply=reply)
            self.record.add(called)
            if reply["ok"]:
                self._visibility.wrote(method, args, reply, user=caller.user, now=now)
                if method == "chat.postMessage" and "thread_ts" not in args and self.plan.vanishes(now):
                    self._visibility.hide(str(reply["ts"]))
                    self.disturbed(str(reply["ts"]), "vanished")
        for event in outcome.events:
            for app in self.workspace.audience(event):
                socket = self._sockets.get(app)
                if socket is not None and socket.wanted and not self.plan.loses_event(now):
                    self._offer(socket, self.workspace.wrap(event, app, micros))
        return reply

    def _offer(self, socket: Socket, payload: dict[str, Any]) -> None:
        socket.offer(payload)
        event: Mapping[str, Any] = payload.get("event") or {}
        if event.get("type") == "message" and self.plan.doubles_event(self.now):
            self.disturbed(str(event.get("ts")), "event doubled")
            socket.offer(dict(payload))

    def refusal(self, method: str) -> str | None:
        """Why Slack refuses every call now, None if it does not."""
        if self.now >= self.outage_until or (self.outage == "is_archived" and method in READS):
            return None
        return self.outage

    def micros(self) -> int:
        """Microseconds since 1970 by Slack's clock."""
        return EPOCH * 1_000_000 + round(self.now * 1_000_000)


def _strict() -> Limits:
    """The published rates with short bursts: Slack does not say how long they may be, so it may allow hardly any."""
    tiers = {tier: replace(rate, burst=max(1, rate.per_minute // 10)) for tier, rate in PER_MINUTE.items()}
    return Limits(tiers=tiers, posting=Rate(per_minute=60, burst=3))

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
from slackmq.simulation.visibility import READS, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.simulation.faults import Faults

__all__ = ["EPOCH", "World", "later"]

EPOCH = 1_800_000_000
"""When the simulation begins, by Slack's clock, in seconds since 1970."""


def later(delay: float, callback: Callable[..., object], *args: object) -> None:
    """Let something happen outside every process, so that it happens whoever is stopped or dead."""
    asyncio.get_running_loop().call_later(delay, callback, *args, context=contextvars.Context())


class World:
    """A workspace with one app, two people and a channel "#jobs".

    Args:
        seed: decides everything.
        faults: what may go wrong.
    """

    def __init__(self, seed: int, faults: Faults) -> None:
        self.plan = Plan(seed, faults)
        self.record = Record()
        self.workspace = Workspace(
            Seed(
                created=EPOCH - 1,
                people=(SeedPerson(name="you"), SeedPerson(name="colleague")),
                channels=(SeedChannel(name="jobs"),),
                apps=(SeedApp(name="slackmq"),),
            )
        )
        self.under_way = 0
        """Calls that were sent and have not taken effect yet."""
        self.app = self._list("emulator.apps.list", "apps")[0]
        self.person = self._list("emulator.users.list", "users")[0]
        self.channel = self._list("emulator.channels.list", "channels")[0]["id"]
        self.socket = Socket(self.app["id"], self.plan)
        self._limits = _strict() if faults.limits else Limits.off()
        self._visibility = Visibility(self.plan)

    def _list(self, method: str, key: str) -> list[Any]:
        return list(self.workspace.apply(EPOCH * 1_000_000, OPERATOR, method, {}).reply[key])

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

    def limited(self, caller: Caller, method: str, args: Mapping[str, object]) -> int | None:
        """Whole seconds to wait if a call is one too many, None if it may go on."""
        return self._limits.take(self._micros(), self.workspace.toll(caller, method, args))

    def apply(
        self, caller: Caller, method: str, args: Mapping[str, object], *, process: str, sent: float
    ) -> Mapping[str, Any]:
        """Let a call take effect now; returns what Slack answers."""
        now, micros = self.now, self._micros()
        outcome = self.workspace.apply(micros, caller, method, args)
        reply = outcome.reply
        if method in READS:
            return self._visibility.shown(reply, now=now) if reply["ok"] else reply
        if is_write(method):
            called = Called(at=now, sent=sent, process=process, method=method, args=args, reply=reply)
            self.record.add(called)
            if reply["ok"]:
                self._visibility.wrote(method, args, reply, user=caller.user, now=now)
        for event in outcome.events:
            for app in self.workspace.audience(event):
                if app == self.app["id"] and self.socket.wanted and not self.plan.loses_event(now):
                    self.socket.offer(self.workspace.wrap(event, app, micros))
        return reply

    def _micros(self) -> int:
        return EPOCH * 1_000_000 + round(self.now * 1_000_000)


def _strict() -> Limits:
    """The published rates with short bursts: Slack does not say how long they may be, so it may allow hardly any."""
    tiers = {tier: replace(rate, burst=max(1, rate.per_minute // 10)) for tier, rate in PER_MINUTE.items()}
    return Limits(tiers=tiers, posting=Rate(per_minute=60, burst=3))

"""The way in: who asks, whether this channel may be used for trying things out, and what an earlier try left there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slackmq.envelope import JOB
from slackmq.errors import ConfigurationError, MissingScope, NotInChannel, Refused
from slackmq.message import seconds
from slackmq.probe.bench import SIGNATURE, Bench
from slackmq.probe.plan import FEWEST, SETUP, planned
from slackmq.slack.api import Urgency
from slackmq.slack.client import Client
from slackmq.slack.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.clock import Clock
    from slackmq.probe.bench import Dial
    from slackmq.probe.plan import Plan
    from slackmq.slack.api import Channel, Identity
    from slackmq.slack.wire import Reply, Wire

__all__ = ["Entry", "enter"]

_DAY = 86_400.0
_NOWHERE = "1000000000.000001"
"""A timestamp of 2001, before Slack: no message can have it."""
_SECOND = "Set SLACKMQ_SECOND_TOKEN to the bot token of another app of the same workspace, or to nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All that an examination needs.

    Attributes:
        bench: where the probes work.
        plan: how often each of them tries.
        channel: the scratch channel.
    """

    bench: Bench
    plan: Plan
    channel: Channel


class _Counted:
    """A line on which calls are counted. Implements `slackmq.slack.wire.Wire`."""

    def __init__(self, wire: Wire) -> None:
        self.calls = 0
        self._wire = wire

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        self.calls += 1
        return await self._wire.call(method, args)

    async def aclose(self) -> None:
        await self._wire.aclose()


async def enter(
    wires: Sequence[Wire], channel: str, *, clock: Clock, calls: int, paced: bool, dial: Dial | None
) -> Entry:
    """Look at the tokens and the channel; what an earlier examination left there is taken over for removal.

    Args:
        wires: one line for each app, one or two of them; they stay the caller's to close.
        channel: "#name" or id of the scratch channel.
        clock: the time of this process.
        calls: at most so many, those of this look included.
        paced: whether to keep within Slack's published limits.
        dial: opens a socket; None if there is no app-level token.

    Raises:
        ConfigurationError: the budget is too small, workers work this channel, or the second token is of no use.
        Refused: a token, a scope or the membership is missing.
    """
    planned(calls, second=len(wires) > 1, sockets=dial is not None)  # raises before anything is sent
    lines = [_Counted(wire) for wire in wires]
    clients = [Client(line, clock=clock) for line in lines]
    whom = [await client.identity() for client in clients]
    place = await clients[0].channel(channel)
    _check_member(place)
    await _check_scopes(clients[0], place.id)
    if len(clients) > 1:
        await _check_second(clients[1], whom, place.id)
    rows = await _rows(clients[0], place.id)
    _check_unused(rows, place, since=clients[0].now() - _DAY)
    found = [(str(row["ts"]), app) for row in rows if (app := _left_by(row, whom)) is not None]
    spent = sum(line.calls for line in lines)
    able = calls - max(0, spent - SETUP)
    left = dict(found[: max(0, able - FEWEST)])
    # What is left is removed out of the same budget, as far as it goes.
    plan = planned(max(FEWEST, able - len(left)), second=len(wires) > 1, sockets=dial is not None)
    bench = Bench(wires, place.id, clock=clock, calls=calls - spent, paced=paced, dial=dial)
    bench.adopt(left)
    return Entry(bench=bench, plan=plan, channel=place)


def _check_member(channel: Channel) -> None:
    if channel.archived:
        raise refusal("conversations.info", {"error": "is_archived"})
    if not channel.member:
        raise NotInChannel(
            f"The bot is no member of #{channel.name}.",
            method="conversations.info",
            code="not_in_channel",
            remedy='Invite it: type "/invite @<your bot>" there.',
        )


async def _check_scopes(slack: Client, channel: str) -> None:
    """Ask for what every probe needs by calls that can do nothing: Slack looks at the scope before anything else."""
    missing: list[MissingScope] = []
    tries: dict[str, dict[str, object]] = {
        "chat.update": {"channel": channel, "ts": _NOWHERE, "text": "-"},
        "reactions.add": {"channel": channel, "timestamp": _NOWHERE, "name": "clock1"},
    }
    for method, args in tries.items():
        try:
            await slack.caller.write(method, args, urgency=Urgency.SCAN)
        except MissingScope as error:
            missing.append(error)
        except Refused:
            continue  # there is no such message: that is not what was asked
    if missing:
        needed = ", ".join(error.needed for error in missing)
        raise MissingScope(
            f"Nothing was probed: the app lacks {needed}.",
            method=missing[0].method,
            needed=needed,
            provided=missing[0].provided,
            remedy="Add it to the app's manifest (`slackmq manifest` prints one), and install the app again.",
        )


async def _check_second(second: Client, whom: Sequence[Identity], channel: str) -> None:
    if whom[0].team != whom[1].team:
        raise ConfigurationError("The second token is of another workspace.", remedy=_SECOND)
    if whom[0].user == whom[1].user:
        raise ConfigurationError("The second token is of the same app as the first.", remedy=_SECOND)
    try:
        member = (await second.channel(channel)).member
    except Refused as error:
        raise ConfigurationError(f"The second app does not see the channel: {error.cause}", remedy=error.remedy) from (
            error
        )
    if not member:
        raise ConfigurationError(
            "The second app is no member of the channel.", remedy='Invite it: type "/invite @<its bot>" there.'
        )


async def _rows(slack: Client, channel: str) -> Sequence[Mapping[str, Any]]:
    args = {"channel": channel, "limit": 200, "include_all_metadata": True}
    found = await slack.caller.read("conversations.history", args, urgency=Urgency.SCAN)
    return found.get("messages") or ()


def _check_unused(rows: Sequence[Mapping[str, Any]], channel: Channel, *, since: float) -> None:
    """A channel that workers work is none for trying things out: the probes would spend its budgets and its order."""
    if any(_type(row) == JOB and seconds(str(row["ts"])) > since for row in rows):
        raise ConfigurationError(
            f"#{channel.name} has jobs of the last 24 hours in it.",
            remedy="Make a channel of its own for this, invite the bot there, and name it here.",
        )


def _type(row: Mapping[str, Any]) -> object:
    metadata: Mapping[str, Any] = row.get("metadata") or {}
    return metadata.get("event_type")


def _left_by(row: Mapping[str, Any], whom: Sequence[Identity]) -> int | None:
    """Which app's earlier examination left this message, None if it is none of theirs."""
    if not str(row.get("text") or "").startswith(SIGNATURE):
        return None
    return next((number for number, identity in enumerate(whom) if row.get("user") == identity.user), None)

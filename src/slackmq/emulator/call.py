"""One call at work: who asks, with what, on which workspace; what it may touch, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from slackmq.emulator.model import Event
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.timestamps import is_ts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.arguments import Arguments
    from slackmq.emulator.model import Caller, Payload
    from slackmq.emulator.registry import Method
    from slackmq.emulator.state import Channel, State, Stored

__all__ = ["Call"]


@dataclass(slots=True)
class Call:
    """A call to a method.

    Attributes:
        now: the moment it takes effect, in microseconds since 1970.
        events: what it told so far.
        payloads: what it handed to apps so far.
    """

    state: State
    now: int
    caller: Caller
    method: Method
    args: Arguments
    events: list[Event] = field(default_factory=list[Event])
    payloads: list[Payload] = field(default_factory=list["Payload"])

    @property
    def second(self) -> int:
        """`now` in whole seconds."""
        return self.now // 1_000_000

    def permit(self, scopes: tuple[str, ...]) -> None:
        """Go on only if the token has one of the scopes.

        Raises:
            Refusal: missing_scope, with `needed` and `provided`.
        """
        granted = self.caller.scopes
        if not scopes or "client" in granted or not granted.isdisjoint(scopes):
            return
        raise Refusal("missing_scope", needed=",".join(scopes), provided=",".join(sorted(granted)))

    def channel(self, *, missing: str = "channel_not_found") -> Channel:
        """The channel that the argument `channel` names by its id, if the caller may know of it.

        Raises:
            Refusal: `missing` if the argument is absent; channel_not_found; missing_scope.
        """
        ident = self.args.text("channel")
        if not ident:
            raise Refusal(missing)
        return self.visible(ident)

    def visible(self, ident: str) -> Channel:
        """The channel with this id, if the caller may know of it.

        Raises:
            Refusal: channel_not_found; missing_scope.
        """
        channel = self.state.channels.get(ident)
        if channel is None or (channel.private and self.caller.user not in channel.members):
            raise Refusal("channel_not_found")
        self.permit(channel_scopes(self.method, channel))
        return channel

    def joined(self, *, missing: str = "channel_not_found") -> Channel:
        """The channel, if the caller is a member.

        Raises:
            Refusal: as `channel`; not_in_channel.
        """
        channel = self.channel(missing=missing)
        if self.caller.user not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def readable(self, *, missing: str = "channel_not_found") -> Channel:
        """The channel, if the caller may read it: bots where they are members, people in every public channel.

        Raises:
            Refusal: as `joined`.
        """
        channel = self.channel(missing=missing)
        if self.caller.type != "user" and self.caller.user not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def message(self, channel: Channel, argument: str, *, missing: str = "bad_timestamp") -> tuple[str, Stored]:
        """The message whose ts the argument gives.

        Raises:
            Refusal: `missing` if the argument is absent; bad_timestamp; message_not_found.
        """
        ts = self.args.text(argument)
        message = channel.messages.get(ts)
        if message is not None:
            return ts, message
        if not ts:
            raise Refusal(missing)
        raise Refusal("message_not_found" if is_ts(ts) else "bad_timestamp")

    def with_args(self, values: Mapping[str, object]) -> Call:
        """The same call with other arguments; what it tells is told by this one."""
        return replace(self, args=type(self.args)(values))

    def tell(self, subscription: str, channel: Channel | None, inner: Mapping[str, Any], *, to: str = "") -> None:
        """Something happened; `to` is the one app or user who is told, if not all who may."""
        ident = None if channel is None else channel.id
        self.events.append(Event(inner=inner, subscription=subscription, channel=ident, to=to))


def channel_scopes(method: Method, channel: Channel) -> tuple[str, ...]:
    """The scopes of which the method wants one in this channel."""
    return method.private if channel.private else method.public

"""One call at work: who asks, with what, on which workspace; what it may touch, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from slackmq.emulator.model import Event
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.timestamps import is_ts, ts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.arguments import Arguments
    from slackmq.emulator.model import Caller, Payload
    from slackmq.emulator.registry import Method
    from slackmq.emulator.state import Channel, State, Stored, User

__all__ = ["Call"]

_DAY = 86_400_000_000


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

    @property
    def me(self) -> User:
        """The acting user."""
        return self.state.users[self.caller.user]

    @property
    def owns(self) -> bool:
        """True if the caller owns the workspace: the person who founded it."""
        return self.caller.user == next(iter(self.state.users))

    @property
    def horizon(self) -> str:
        """The ts before which the workspace's plan hides everything; "" if it hides nothing."""
        days = self.state.seed.visible_days
        return "" if days is None else ts_of(max(0, self.now - days * _DAY))

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
        if channel is None or not self.sees(channel):
            raise Refusal("channel_not_found")
        self.permit(self.method.scopes[channel.kind])
        return channel

    def sees(self, channel: Channel) -> bool:
        """True if the caller may know of the channel: guests only of their own."""
        user = self.caller.user
        return user in channel.members or (channel.kind == "public_channel" and not self.state.users[user].guest)

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
        if not self.reads(channel):
            raise Refusal("not_in_channel")
        return channel

    def reads(self, channel: Channel) -> bool:
        """True if the caller may read the channel."""
        return self.caller.user in channel.members or (self.caller.type == "user" and self.sees(channel))

    def meets(self, user: str) -> bool:
        """True if the caller may know of the user: guests only of those with whom they share a channel."""
        return not self.me.guest or any(
            self.caller.user in channel.members and user in channel.members for channel in self.state.channels.values()
        )

    def message(self, channel: Channel, argument: str, *, missing: str = "bad_timestamp") -> tuple[str, Stored]:
        """The message whose ts the argument gives, if the workspace's plan still shows it.

        Raises:
            Refusal: `missing` if the argument is absent; bad_timestamp; message_not_found.
        """
        ts = self.args.text(argument)
        message = channel.messages.get(ts)
        if message is not None and ts >= self.horizon:
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

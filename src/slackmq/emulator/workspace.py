"""A Slack workspace as a pure function of its seed and the calls it was given: no clock, no I/O, no dice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.arguments import Arguments
from slackmq.emulator.call import Call
from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.methods import METHODS
from slackmq.emulator.methods.scheduled import next_due
from slackmq.emulator.model import Caller, Outcome, Toll
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Tier
from slackmq.emulator.residents import founded
from slackmq.emulator.rows import author_of
from slackmq.emulator.seed import Seed
from slackmq.emulator.text import mentions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.manifest import Manifest
    from slackmq.emulator.model import Event
    from slackmq.emulator.registry import Method
    from slackmq.emulator.state import App

__all__ = ["NOBODY", "OPERATOR", "WRITES", "Workspace", "is_open", "is_write"]

OPERATOR = Caller(type="operator")
"""Whoever runs the emulator; may call the emulator.* methods, which no token reaches."""

NOBODY = Caller(type="user")
"""A caller without a token, for the methods that need none (`is_open`)."""

WRITES = frozenset(name for name, method in METHODS.items() if method.write)
"""The methods that change the workspace: the journal must record them, refused calls included."""


def is_write(method: str) -> bool:
    """True if the journal must record calls of the method."""
    return method in WRITES


def is_open(method: str) -> bool:
    """True if the method needs no token: api.test."""
    return method in METHODS and METHODS[method].open


class Workspace:
    """The whole of a workspace. It owns its state; rows in replies and events must not be changed by anybody."""

    def __init__(self, seed: Seed | None = None, *, origin: str = "https://slack.com") -> None:
        self.seed = Seed() if seed is None else seed
        self._state = founded(self.seed)
        self._state.origin = origin

    def authorize(self, token: str | None) -> Caller | str:
        """Whom a token stands for; or Slack's error code: not_authed, invalid_auth, token_revoked, account_inactive."""
        if not token:
            return "not_authed"
        caller = self._state.tokens.get(token)
        return caller if caller is not None else self._state.refused.get(token, "invalid_auth")

    def apply(self, now: int, caller: Caller, method: str, args: Mapping[str, object]) -> Outcome:
        """Do what a call asks.

        A refused call changes nothing. The same calls at the same moments give the same replies, ids and events.

        Args:
            now: the moment in microseconds since 1970; messages are stamped with it, or a little later.
            caller: who asks, from `authorize`; or `OPERATOR`.
            method: as "chat.postMessage".
            args: from query, form and JSON, merged.
        """
        declared = METHODS.get(method)
        try:
            call = Call(self._state, now, caller, _admitted(declared, caller), Arguments(args))
            reply = call.method.run(call)
        except Refusal as refusal:
            return Outcome(reply={"ok": False, "error": refusal.code, **refusal.facts})
        return Outcome(reply={"ok": True, **reply}, events=tuple(call.events), payloads=tuple(call.payloads))

    def toll(self, caller: Caller, method: str, args: Mapping[str, object]) -> Toll:
        """What of a call counts for the rate limits: a channel's budget is the same by whatever name it is called."""
        declared = METHODS.get(method)
        app = self._state.apps.get(caller.app or "")
        channel = ""
        if declared is not None and declared.tier is Tier.POSTING:
            given = Arguments(args).text("channel")
            channel = self._state.names.get(given.removeprefix("#"), given)
            if channel in self._state.users:
                channel = self._state.directs.get(frozenset({caller.user, channel}), channel)
        return Toll(
            team=self.seed.team_id,
            app=caller.app or caller.user,
            method=method,
            channel=channel,
            whole=declared is not None and declared.paged and not args.get("limit"),
            unlisted=app is not None and app.unlisted,
        )

    def next_due(self) -> int | None:
        """When something happens without a caller: then call "emulator.due" as the operator, as any other write.

        Returns:
            Microseconds since 1970; None if nothing waits.
        """
        return next_due(self._state.scheduled)

    def audience(self, event: Event) -> tuple[str, ...]:
        """The ids of the apps that are told: subscribed, with the scope, and their bot a member of the channel."""
        members = None if event.channel is None else self._state.channels[event.channel].members
        return tuple(
            app.id
            for app in self._state.apps.values()
            if event.subscription in app.hears
            and not app.revoked
            and event.to in {"", app.id}
            and (members is None or app.bot_user in members)
            and (event.subscription != "app_mention" or mentions(event.inner["text"], app.bot_user))
        )

    def has(self, app: str) -> bool:
        """True if the app is installed here, and was not revoked."""
        return app in self._state.apps and not self._state.apps[app].revoked

    def manifest(self, app: str) -> Manifest | None:
        """What an app was installed from; None if it was installed without one, and listens on sockets."""
        return self._state.apps[app].manifest

    def signing_secret(self, app: str) -> str:
        """The secret that signs what an app is sent over HTTP."""
        return self._state.apps[app].credentials.signing_secret

    def verification_token(self, app: str) -> str:
        """What stands as `token` in everything an app is sent."""
        return self._state.apps[app].credentials.verification_token

    def token_of(self, user: str) -> str:
        """The token with which a user's own client speaks: a person's, or a bot's."""
        found = self._state.users[user]
        return found.token if found.app is None else found.app.bot_token

    def upload(self, ticket: str) -> str | None:
        """The id of the file whose bytes a ticket lets in; None if it is unknown, or the upload is over."""
        file = self._state.files.get(ticket.partition("-")[0])
        return None if file is None or file.completed or file.ticket != ticket else file.id

    def hears(self, user: str, event: Event) -> bool:
        """True if a user's own client is told of the event: a member of the channel, and no one else's business."""
        if event.to:
            return event.to == user
        return event.channel is None or user in self._state.channels[event.channel].members

    def is_member(self, user: str, channel: str) -> bool:
        """True if the user is in the channel."""
        found = self._state.channels.get(channel)
        return found is not None and user in found.members

    def members(self, channel: str) -> tuple[str, ...]:
        """The ids of the users in the channel, in the order they came; none if there is no such channel."""
        found = self._state.channels.get(channel)
        return () if found is None else tuple(found.members)

    def replies(self, channel: str, thread: str) -> list[tuple[str, str]]:
        """Ts and author of every reply in a thread, in order; none if there is no such thread."""
        found = self._state.channels.get(channel)
        parent = None if found is None else found.messages.get(thread)
        if found is None or parent is None:
            return []
        return [(ts, author_of(found.messages[ts].row)) for ts in parent.replies]

    def wrap(self, event: Event, app: str, now: int) -> dict[str, Any]:
        """The object that an app is sent: the event in its wrapper (docs.slack.dev, "Events API", callback field)."""
        installed = self._state.apps[app]
        team = self.seed.team_id
        return {
            "token": installed.credentials.verification_token,
            "team_id": team,
            "context_team_id": team,
            "context_enterprise_id": None,
            "api_app_id": app,
            "event": dict(event.inner),
            "type": "event_callback",
            "event_id": _event_id(event, app, team),
            "event_time": now // 1_000_000,
            "authorizations": [_authorization(installed, team)],
            "is_ext_shared_channel": False,
            "event_context": f"4-{derived_id('', app, event.subscription, event.channel)}",
        }


def _admitted(method: Method | None, caller: Caller) -> Method:
    """The method, if this kind of caller may call it with these scopes."""
    if method is None or (caller.type != "operator" and "operator" in method.tokens and not method.open):
        raise Refusal("unknown_method")
    if caller == NOBODY and not method.open:
        raise Refusal("not_authed")
    if caller.type not in method.tokens:
        raise Refusal("not_allowed_token_type")
    granted = caller.scopes
    if method.accepted and "client" not in granted and granted.isdisjoint(method.accepted):
        raise Refusal("missing_scope", needed=",".join(method.accepted), provided=",".join(sorted(granted)))
    return method


def _event_id(event: Event, app: str, team: str) -> str:
    inner = event.inner
    return derived_id("Ev", team, app, inner["type"], inner.get("subtype"), event.channel, inner["event_ts"])


def _authorization(app: App, team: str) -> dict[str, Any]:
    return {
        "enterprise_id": None,
        "team_id": team,
        "user_id": app.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }

"""emulator.*: what Slack's own web site does (install an app, invite a person), for whoever runs the emulator.

No token reaches these methods.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from slackmq.emulator.emoji import is_emoji
from slackmq.emulator.model import Guest, Posting
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.residents import admit_app, admit_person
from slackmq.emulator.rows import recount
from slackmq.emulator.seed import QUEUE_EVENTS, QUEUE_SCOPES
from slackmq.emulator.timestamps import ts_of
from slackmq.emulator.user_rows import user_row

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.model import TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import App, Channel, Row, User

__all__ = ["FAMILY"]

FAMILY = Family()
_OPERATOR: frozenset[TokenType] = frozenset({"operator"})
_GUESTS: dict[str, Guest] = {guest: guest for guest in get_args(Guest)}
_POSTING: dict[str, Posting] = {rule: rule for rule in get_args(Posting)}
_EMOJI = re.compile(r"[\w'+-]{1,100}")
"""Names that Slack lets custom emoji have: letters and digits of any script, "_", "-", "+" and "'"."""


@FAMILY.method("emulator.apps.install", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def install(call: Call) -> Reply:
    """A new app with tokens. `scopes` and `events` default to a queue's; `channels` (names or ids) are joined.

    `unlisted` makes it one that is sold outside the Marketplace, with a narrow view of history.
    """
    name = call.args.text("name")
    if not name:
        raise Refusal("invalid_name_required")
    state = call.state
    idents = [state.names.get(given.removeprefix("#"), given) for given in call.args.names("channels")]
    if not state.channels.keys() >= set(idents):
        raise Refusal("channel_not_found")
    scopes = call.args.names("scopes") if "scopes" in call.args else QUEUE_SCOPES
    events = call.args.names("events") if "events" in call.args else QUEUE_EVENTS
    app = admit_app(state, name, scopes, events, call.second, unlisted=call.args.flag("unlisted"))
    for ident in idents:
        state.channels[ident].members[app.bot_user] = None
    return {"app": _app(app)}


@FAMILY.method("emulator.apps.revoke", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def revoke(call: Call) -> Reply:
    """Both tokens of an app are valid no more: calls get token_revoked."""
    app = call.state.apps.get(call.args.text("app"))
    if app is None:
        raise Refusal("app_not_found")
    app.revoked = True
    for token in (app.bot_token, app.app_token):
        call.state.tokens.pop(token, None)
        call.state.refused[token] = "token_revoked"
    return {}


@FAMILY.method("emulator.apps.list", tier=Tier.FREE, tokens=_OPERATOR)
def list_apps(call: Call) -> Reply:
    """All apps with their tokens."""
    return {"apps": [_app(app) for app in call.state.apps.values()]}


@FAMILY.method("emulator.users.create", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def create_user(call: Call) -> Reply:
    """A new person, a member of the channels that are for everybody; a `guest` ("restricted", …) of none."""
    name = call.args.text("name")
    if not name:
        raise Refusal("invalid_name_required")
    if any(user.name == name for user in call.state.users.values()):
        raise Refusal("name_taken")
    guest = _GUESTS.get(call.args.text("guest"))
    if guest is None:
        raise Refusal("invalid_guest")
    user = admit_person(call.state, name, call.second, email=call.args.text("email"), guest=guest)
    told = {"type": "team_join", "user": user_row(call, user), "cache_ts": call.second}
    call.tell("team_join", None, {**told, "event_ts": f"{call.second}.000000"})
    return {"user": _person(user)}


@FAMILY.method("emulator.users.deactivate", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def deactivate_user(call: Call) -> Reply:
    """A person's account is closed: calls with the token get account_inactive."""
    user = call.state.users.get(call.args.text("user"))
    if user is None or user.app is not None:
        raise Refusal("user_not_found")
    user.deleted = True
    call.state.tokens.pop(user.token, None)
    call.state.refused[user.token] = "account_inactive"
    return {}


@FAMILY.method("emulator.users.list", tier=Tier.FREE, tokens=_OPERATOR)
def list_users(call: Call) -> Reply:
    """All persons with their tokens."""
    people = [user for user in call.state.users.values() if user.app is None]
    return {"users": [_person(user) for user in people]}


@FAMILY.method("emulator.channels.list", tier=Tier.FREE, tokens=_OPERATOR)
def list_channels(call: Call) -> Reply:
    """All channels, private ones included."""
    rows = [
        {"id": channel.id, "name": channel.name, "is_private": channel.private, "is_archived": channel.archived}
        for channel in call.state.channels.values()
        if not channel.direct
    ]
    return {"channels": rows}


@FAMILY.method("emulator.channels.restrict", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def restrict_channel(call: Call) -> Reply:
    """Leave posting to the workspace's owner: `posting` is read_only, thread_only, non_threadable, or empty again."""
    channel = _channel(call)
    rule = _POSTING.get(call.args.text("posting"))
    if rule is None:
        raise Refusal("invalid_posting")
    channel.posting = rule
    return {}


@FAMILY.method("emulator.threads.lock", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def lock_thread(call: Call) -> Reply:
    """Close the thread of the message `ts` in `channel` to replies and reactions."""
    channel = _channel(call)
    ts, message = call.message(channel, "ts")
    message.locked = True
    recount(channel, ts)
    return {}


@FAMILY.method("emulator.emoji.add", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def add_emoji(call: Call) -> Reply:
    """A custom emoji: `name` as people type it, letters of any script, and `url`, or "alias:" and another's name."""
    name, url = call.args.text("name"), call.args.text("url")
    if not _EMOJI.fullmatch(name) or name != name.lower():
        raise Refusal("invalid_name")
    if is_emoji(name) or name in call.state.emoji:
        raise Refusal("name_taken")
    alias = url.removeprefix("alias:") if url.startswith("alias:") else ""
    if alias and not is_emoji(alias) and alias not in call.state.emoji:
        raise Refusal("invalid_alias")
    call.state.emoji[name] = url or f"https://emoji.slack-edge.com/{call.state.seed.team_id}/{name}.png"
    stamp = ts_of(call.now)
    told = {"type": "emoji_changed", "subtype": "add", "name": name, "value": call.state.emoji[name]}
    call.tell("emoji_changed", None, {**told, "event_ts": stamp})
    return {}


def _channel(call: Call) -> Channel:
    given = call.args.text("channel")
    channel = call.state.channels.get(call.state.names.get(given.removeprefix("#"), given))
    if channel is None:
        raise Refusal("channel_not_found")
    return channel


def _app(app: App) -> Row:
    return {
        "id": app.id,
        "name": app.name,
        "bot_user": app.bot_user,
        "bot_id": app.bot_id,
        "bot_token": app.bot_token,
        "app_token": app.app_token,
        "revoked": app.revoked,
    }


def _person(user: User) -> Row:
    return {"id": user.id, "name": user.name, "token": user.token, "deleted": user.deleted}

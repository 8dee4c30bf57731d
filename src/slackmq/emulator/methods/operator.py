"""emulator.*: what Slack's own web site does (install an app, invite a person), for whoever runs the emulator.

No token reaches these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.residents import admit_app, admit_person
from slackmq.emulator.seed import QUEUE_EVENTS, QUEUE_SCOPES

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.model import TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import App, Row, User

__all__ = ["FAMILY"]

FAMILY = Family()
_OPERATOR: frozenset[TokenType] = frozenset({"operator"})


@FAMILY.method("emulator.apps.install", tier=Tier.FREE, tokens=_OPERATOR, write=True)
def install(call: Call) -> Reply:
    """A new app with tokens. `scopes` and `events` default to a queue's; `channels` (names or ids) are joined."""
    name = call.args.text("name")
    if not name:
        raise Refusal("invalid_name_required")
    state = call.state
    idents = [state.names.get(given.removeprefix("#"), given) for given in call.args.names("channels")]
    if not state.channels.keys() >= set(idents):
        raise Refusal("channel_not_found")
    scopes = call.args.names("scopes") if "scopes" in call.args else QUEUE_SCOPES
    events = call.args.names("events") if "events" in call.args else QUEUE_EVENTS
    app = admit_app(state, name, scopes, events, call.second)
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
    """A new person, a member of the channels that are for everybody."""
    name = call.args.text("name")
    if not name:
        raise Refusal("invalid_name_required")
    if any(user.name == name for user in call.state.users.values()):
        raise Refusal("name_taken")
    return {"user": _person(admit_person(call.state, name, call.second))}


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
    ]
    return {"channels": rows}


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

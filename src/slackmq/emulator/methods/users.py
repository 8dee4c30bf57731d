"""users.info, list, lookupByEmail, getPresence, setPresence: who is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.pages import page
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.user_rows import user_row

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()
_READ = ("users:read",)
_MOST = 1000


@FAMILY.method("users.info", tier=Tier.FOUR, scopes=_READ)
def info(call: Call) -> Reply:
    """One user."""
    given = call.args.names("user")
    if len(given) > 1:
        raise Refusal("too_many_users")
    user = call.state.users.get(given[0]) if given else None
    if user is None:
        raise Refusal("user_not_found")
    if not call.meets(user.id):
        raise Refusal("user_not_visible")
    return {"user": user_row(call, user)}


@FAMILY.method("users.list", tier=Tier.TWO, scopes=_READ, paged=True)
def list_users(call: Call) -> Reply:
    """All users, bots and deactivated ones included."""
    part, cursor = page(call.args, list(call.state.users.values()), default=_MOST, most=_MOST, strict=False)
    rows = [user_row(call, user) for user in part]
    return {"members": rows, "cache_ts": call.second, "response_metadata": {"next_cursor": cursor}}


@FAMILY.method("users.lookupByEmail", tier=Tier.THREE, scopes=("users:read.email",))
def lookup_by_email(call: Call) -> Reply:
    """The person with an e-mail address."""
    email = call.args.text("email").casefold()
    found = next((user for user in call.state.users.values() if email and user.email.casefold() == email), None)
    if found is None or found.deleted:
        raise Refusal("users_not_found")
    return {"user": user_row(call, found)}


@FAMILY.method("users.getPresence", tier=Tier.THREE, scopes=_READ)
def get_presence(call: Call) -> Reply:
    """Whether somebody is there; of oneself in more words."""
    user = call.state.users.get(call.args.text("user") or call.caller.user)
    if user is None:
        raise Refusal("user_not_found")
    presence = "away" if user.away or user.deleted else "active"
    if user.id != call.caller.user:
        return {"presence": presence}
    return {
        "presence": presence,
        "online": True,
        "auto_away": False,
        "manual_away": user.away,
        "connection_count": 1,
        "last_activity": call.second,
    }


@FAMILY.method("users.setPresence", tier=Tier.TWO, scopes=("users:write",), write=True)
def set_presence(call: Call) -> Reply:
    """Say that one is away, or leave it to Slack."""
    presence = call.args.text("presence")
    if presence not in {"auto", "away"}:
        raise Refusal("invalid_presence")
    call.me.away = presence == "away"
    return {}

"""users.profile.get and users.profile.set: what people say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.emoji import is_emoji
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.user_rows import profile_row, user_row

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()
_TEXTS = frozenset(
    {
        *("display_name", "first_name", "last_name", "phone", "pronouns", "real_name", "skype", "start_date"),
        *("status_emoji", "status_text", "title"),
    },
)
_LONGEST_STATUS = 100
"""Characters of status_text (docs.slack.dev, users.profile.set)."""


@FAMILY.method("users.profile.get", tier=Tier.FOUR, scopes=("users.profile:read",))
def get(call: Call) -> Reply:
    """Somebody's profile, one's own by default."""
    user = call.state.users.get(call.args.text("user") or call.caller.user)
    if user is None:
        raise Refusal("user_not_found")
    return {"profile": profile_row(call, user)}


@FAMILY.method(
    "users.profile.set", tier=Tier.THREE, scopes=("users.profile:write",), tokens=frozenset({"user"}), write=True
)
def set_profile(call: Call) -> Reply:
    """Change one's own profile, one field by `name` and `value` or several by `profile`."""
    given: dict[str, Any] = call.args.mapping("profile", refusal="invalid_profile") or {}
    if call.args.text("name"):
        given = {**given, call.args.text("name"): call.args.text("value")}
    if call.args.text("user") not in {"", call.caller.user}:
        raise Refusal("cannot_update_admin_user")
    if not given or not given.keys() <= _TEXTS | {"status_expiration"}:
        raise Refusal("invalid_profile")
    if not all(isinstance(value, int if name == "status_expiration" else str) for name, value in given.items()):
        raise Refusal("invalid_profile")
    if len(given.get("status_text", "")) > _LONGEST_STATUS:
        raise Refusal("too_long")
    emoji = str(given.get("status_emoji", "")).strip(":")
    if emoji and not is_emoji(emoji) and emoji not in call.state.emoji:
        raise Refusal("profile_status_set_failed_not_valid_emoji")
    user = call.me
    for name in ("real_name", "display_name"):
        if name in given:
            given[f"{name}_normalized"] = given[name]
    user.profile = {**user.profile, **given}
    user.updated = call.second
    told = {"type": "user_change", "user": user_row(call, user), "cache_ts": call.second}
    call.tell("user_change", None, {**told, "event_ts": f"{call.second}.000000"})
    return {"profile": profile_row(call, user)}

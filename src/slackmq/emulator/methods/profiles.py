"""users.profile.get and users.profile.set: what people say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.emoji import is_emoji
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.text import stored
from slackmq.emulator.user_rows import profile_row, user_row

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import User

__all__ = ["FAMILY"]

FAMILY = Family()
_NAMES = ("real_name", "display_name", "first_name", "last_name")
_TEXTS = frozenset(
    {*_NAMES, "email", "phone", "pronouns", "skype", "start_date", "status_emoji", "status_text", "title"},
)
_RESERVED = frozenset({"channel", "everyone", "group", "here", "slackbot"})
"""Slack does not list the names that it keeps for itself; these mean something else in its messages."""
_LONGEST_STATUS = 100
"""Characters of status_text (docs.slack.dev, users.profile.set)."""
_MOST_FIELDS = 50
"""Fields in one call (docs.slack.dev, users.profile.set)."""


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
    """Change one's own profile, several fields by `profile` or one by `name` and `value`; the owner also others'."""
    user, given = _whose(call), _given(call)
    if "email" in given and not call.owns:
        raise Refusal("not_admin")
    if any(other.email == given.get("email") for other in call.state.users.values() if other is not user):
        raise Refusal("email_taken")
    _check_names(given)
    _check_status(call, user, given)
    for name in ("real_name", "display_name"):
        if name in given:
            given[f"{name}_normalized"] = given[name]
    user.email = given.pop("email", user.email)
    user.profile = {**user.profile, **given}
    user.updated = call.second
    told = {"type": "user_change", "user": user_row(call, user), "cache_ts": call.second}
    call.tell("user_change", None, {**told, "event_ts": f"{call.second}.000000"})
    return {"username": user.name, "profile": profile_row(call, user)}


def _whose(call: Call) -> User:
    """The user whose profile the caller may change."""
    ident = call.args.text("user") or call.caller.user
    user = call.state.users.get(ident)
    if user is None:
        raise Refusal("user_not_found")
    if ident == call.caller.user or call.owns:
        return user
    if user.app is not None:
        raise Refusal("not_app_admin")
    raise Refusal("cannot_update_admin_user" if ident == next(iter(call.state.users)) else "not_admin")


def _given(call: Call) -> dict[str, Any]:
    """The fields to change. What Slack says to a field that it does not know is not documented."""
    given: dict[str, Any] | None = call.args.mapping("profile", refusal="invalid_profile")
    if given is None and call.args.text("name"):
        given = {call.args.text("name"): call.args.text("value")}
    if not given or len(given) > _MOST_FIELDS or not given.keys() <= _TEXTS | {"status_expiration"}:
        raise Refusal("invalid_profile")
    if not all(isinstance(value, int if name == "status_expiration" else str) for name, value in given.items()):
        raise Refusal("invalid_profile")
    return dict(given)


def _check_names(given: dict[str, Any]) -> None:
    for name in (given[field] for field in _NAMES if field in given):
        if name.startswith("@"):
            raise Refusal("invalid_starts_with_at")
        if name.strip().lower() in _RESERVED:
            raise Refusal("reserved_name")
        if stored(name) != stored(name, links=False):
            raise Refusal("name_not_allowed")  # it holds an address


def _check_status(call: Call, user: User, given: dict[str, Any]) -> None:
    if len(given.get("status_text", "")) > _LONGEST_STATUS:
        raise Refusal("too_long", field="status_text", limit=_LONGEST_STATUS)  # as people saw it answer
    emoji = str(given.get("status_emoji", "")).strip(":")
    if emoji and not is_emoji(emoji) and emoji not in call.state.emoji:
        raise Refusal("profile_status_set_failed_not_valid_emoji")  # not documented, but what clients meet
    for one, other in (("status_text", "status_emoji"), ("status_emoji", "status_text")):
        if given.get(one) == "" and other not in given and user.profile.get(other):
            raise Refusal("must_clear_both_status_text_and_status_emoji")

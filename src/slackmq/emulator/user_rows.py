"""Users as Slack writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.state import Row, User

__all__ = ["picture", "profile_row", "user_row"]


def picture(kind: str, size: int) -> str:
    """The address of a picture of the kind "user" or "team"."""
    return f"https://a.slack-edge.com/80588/img/avatars-{kind}/ava_0001-{size}.png"


def user_row(call: Call, user: User) -> Row:
    """A user, as the caller sees it."""
    founder = user.id == next(iter(call.state.users))
    row: Row = {
        "id": user.id,
        "team_id": call.state.seed.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": "9f69e7",
        "real_name": user.profile.get("real_name", user.name),
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile_row(call, user),
        "is_admin": founder,
        "is_owner": founder,
        "is_primary_owner": founder,
        "is_restricted": bool(user.guest),
        "is_ultra_restricted": user.guest == "ultra_restricted",
        "is_bot": user.app is not None,
        "is_app_user": False,
        "updated": user.updated,
        "is_email_confirmed": user.app is None,
        "who_can_share_contact_card": "EVERYONE",
    }
    if call.args.flag("include_locale"):
        row["locale"] = "en-US"
    return row


def profile_row(call: Call, user: User) -> Row:
    """A user's profile; the e-mail address only for callers with the scope users:read.email."""
    profile: Row = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": user.name,
        "real_name_normalized": user.name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.name,
        "last_name": "",
        "status_text": "",
        "status_text_canonical": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": "g" + user.id[-11:].lower(),
        "team": call.state.seed.team_id,
    }
    profile |= {f"image_{size}": picture("user", size) for size in (24, 32, 48, 72, 192, 512)}
    if user.app is not None:
        profile |= {"bot_id": user.app.bot_id, "api_app_id": user.app.id, "always_active": True}
    elif not call.caller.scopes.isdisjoint({"client", "users:read.email"}):
        profile["email"] = user.email
    return profile | user.profile

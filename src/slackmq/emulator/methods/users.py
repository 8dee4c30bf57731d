"""users.*, bots.info, team.info: who is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.pages import page
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Row, User

__all__ = ["FAMILY"]

FAMILY = Family()
_READ = ("users:read",)
_MOST = 1000


@FAMILY.method("users.info", tier=Tier.FOUR, scopes=_READ)
def info(call: Call) -> Reply:
    """One user."""
    user = call.state.users.get(call.args.text("user"))
    if user is None:
        raise Refusal("user_not_found")
    return {"user": _shown(call, user)}


@FAMILY.method("users.list", tier=Tier.TWO, scopes=_READ)
def list_users(call: Call) -> Reply:
    """All users, bots and deactivated ones included."""
    part, cursor = page(call.args, list(call.state.users.values()), default=_MOST, most=_MOST, strict=False)
    rows = [_shown(call, user) for user in part]
    return {"members": rows, "cache_ts": call.second, "response_metadata": {"next_cursor": cursor}}


@FAMILY.method("bots.info", tier=Tier.THREE, scopes=_READ)
def bots_info(call: Call) -> Reply:
    """The bot that an app posts as."""
    app = call.state.bots.get(call.args.text("bot"))
    if app is None:
        raise Refusal("bot_not_found")
    row = {key: value for key, value in app.profile.items() if key != "team_id"}
    return {"bot": {**row, "user_id": app.bot_user, "deleted": app.revoked}}


@FAMILY.method("team.info", tier=Tier.THREE, scopes=("team:read",))
def team_info(call: Call) -> Reply:
    """The workspace."""
    seed = call.state.seed
    given = call.args.text("team")
    if given not in {"", seed.team_id}:
        raise Refusal("team_not_found")
    icon = {f"image_{size}": _picture("team", size) for size in (34, 44, 68, 88, 102, 132, 230)}
    team = {
        "id": seed.team_id,
        "name": seed.team,
        "url": call.state.url,
        "domain": seed.domain,
        "email_domain": "",
        "icon": {"image_default": True, **icon},
        "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": False,
    }
    return {"team": team}


def _picture(kind: str, size: int) -> str:
    return f"https://a.slack-edge.com/80588/img/avatars-{kind}/ava_0001-{size}.png"


def _shown(call: Call, user: User) -> Row:
    founder = user.id == next(iter(call.state.users))
    return {
        "id": user.id,
        "team_id": call.state.seed.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": "9f69e7",
        "real_name": user.name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": _profile(call, user),
        "is_admin": founder,
        "is_owner": founder,
        "is_primary_owner": founder,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.app is not None,
        "is_app_user": False,
        "updated": user.created,
        "is_email_confirmed": user.app is None,
        "who_can_share_contact_card": "EVERYONE",
    }


def _profile(call: Call, user: User) -> Row:
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
    profile |= {f"image_{size}": _picture("user", size) for size in (24, 32, 48, 72, 192, 512)}
    if user.app is not None:
        profile |= {"bot_id": user.app.bot_id, "api_app_id": user.app.id, "always_active": True}
    return profile

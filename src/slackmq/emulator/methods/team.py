"""team.info, bots.info, emoji.list: the workspace and what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.emoji import standard
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.timestamps import ts_of
from slackmq.emulator.user_rows import picture

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()


@FAMILY.method("team.info", tier=Tier.THREE, scopes=("team:read",))
def team_info(call: Call) -> Reply:
    """The workspace."""
    seed = call.state.seed
    if call.args.text("team") not in {"", seed.team_id} or call.args.text("domain") not in {"", seed.domain}:
        raise Refusal("team_not_found")
    icon = {f"image_{size}": picture("team", size) for size in (34, 44, 68, 88, 102, 132, 230)}
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


@FAMILY.method("bots.info", tier=Tier.THREE, scopes=("users:read",))
def bots_info(call: Call) -> Reply:
    """The bot that an app posts as."""
    if call.args.text("team_id") not in {"", call.state.seed.team_id}:
        raise Refusal("team_not_found")
    app = call.state.bots.get(call.args.text("bot"))
    if app is None:
        raise Refusal("bot_not_found")
    row = {key: value for key, value in app.profile.items() if key != "team_id"}
    return {"bot": {**row, "user_id": app.bot_user, "deleted": app.revoked}}


@FAMILY.method("emoji.list", tier=Tier.TWO, scopes=("emoji:read",))
def list_emoji(call: Call) -> Reply:
    """The custom emoji; with `include_categories` the names of the standard ones too."""
    reply: Reply = {"emoji": dict(call.state.emoji), "cache_ts": ts_of(call.now)}
    if call.args.flag("include_categories"):
        reply |= {"categories_version": "1", "categories": [{"name": "All", "emoji_names": list(standard())}]}
    return reply

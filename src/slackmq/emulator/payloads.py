"""What apps are sent when a person uses them: the bodies, with the keys that Slack's own captures show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.identifiers import derived_secret
from slackmq.emulator.surfaces import ReplyUrl, Trigger
from slackmq.emulator.timestamps import ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.state import App, Channel, Row, User

__all__ = ["about_channel", "action_ts", "basics", "command_body", "new_reply_url", "new_trigger", "reply_address"]


def basics(call: Call, app: App, user: User, kind: str) -> Row:
    """What every interactive payload says."""
    seed = call.state.seed
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": seed.team_id},
        "api_app_id": app.id,
        "token": app.credentials.verification_token,
        "team": {"id": seed.team_id, "domain": seed.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def command_body(call: Call, app: App, user: User, channel: Channel, *, command: str, text: str) -> Row:
    """What a slash command says; the response_url and the trigger are added by whoever draws them."""
    seed = call.state.seed
    return {
        "token": app.credentials.verification_token,
        "team_id": seed.team_id,
        "team_domain": seed.domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.id.startswith("D") else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": app.id,
        "is_enterprise_install": "false",
    }


def about_channel(channel: Channel) -> Row:
    """How interactive payloads name a channel."""
    return {"id": channel.id, "name": channel.name}


def action_ts(call: Call) -> str:
    """When the person acted."""
    return ts_of(call.now)


def new_trigger(call: Call, app: App, user: User, *, view: str = "") -> str:
    """Leave to open a modal: returns the trigger_id."""
    triggers, seed = call.state.surfaces.triggers, call.state.seed
    secret = derived_secret(seed.secret, f"trigger/{call.state.surfaces.draw()}", 32)
    ident = f"{call.now // 1000}.{int(secret[:8], 16)}.{secret}"
    triggers[ident] = Trigger(app=app.id, user=user.id, at=call.now, view=view)
    return ident


def new_reply_url(
    call: Call, app: App, user: User, channel: Channel, *, ts: str = "", thread: str | None = None
) -> str:
    """Leave to answer where the person acted: returns the key; `reply_address` makes it a response_url."""
    urls = call.state.surfaces.reply_urls
    key = derived_secret(call.state.seed.secret, f"reply/{call.state.surfaces.draw()}", 24)
    urls[key] = ReplyUrl(app=app.id, user=user.id, channel=channel.id, at=call.now, ts=ts, thread=thread)
    return key


def reply_address(call: Call, key: str, kind: str) -> str:
    """The response_url; `kind` is "commands" or "actions"."""
    return f"{call.state.origin}/{kind}/{call.state.seed.team_id}/{call.now // 1000}/{key}"

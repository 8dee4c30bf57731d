"""emulator.interactions.*: what a person does with an app in Slack's client: commands, clicks, modals, shortcuts.

No token reaches these methods: the page and scripts call them as the operator. Each hands a payload to the app and
returns the number of the `interaction`; what the app answers comes in by "emulator.interactions.settle".
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from slackmq.emulator.elements import entered, found
from slackmq.emulator.model import Payload
from slackmq.emulator.payloads import (
    about_channel,
    action_ts,
    basics,
    command_body,
    new_reply_url,
    new_trigger,
    reply_address,
)
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.surfaces import Interaction

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.manifest import Command, Shortcut
    from slackmq.emulator.model import PayloadKind, TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import App, Channel, Row, Stored, User

__all__ = ["FAMILY", "OPERATOR", "app_of", "hand", "person"]

FAMILY = Family()
OPERATOR: frozenset[TokenType] = frozenset({"operator"})
"""Who may call these: the page and scripts, on behalf of a person."""


@FAMILY.method("emulator.interactions.command", tier=Tier.FREE, tokens=OPERATOR, write=True)
def type_command(call: Call) -> Reply:
    """The person `user` types `text`, as "/deploy now", into `channel`."""
    user, channel = person(call), _channel(call)
    name, _, rest = call.args.text("text").strip().partition(" ")
    app, command = _owner(call, name)
    text = escape(rest.strip(), quote=False) if command.escape else rest.strip()
    body = command_body(call, app, user, channel, command=name, text=text)
    key = new_reply_url(call, app, user, channel)
    body |= {"response_url": reply_address(call, key, "commands"), "trigger_id": new_trigger(call, app, user)}
    return hand(call, app, user, body, kind="slash_commands", named="slash_command", url=command.url, key=key)


@FAMILY.method("emulator.interactions.click", tier=Tier.FREE, tokens=OPERATOR, write=True)
def click(call: Call) -> Reply:
    """The person `user` uses the element `action_id` of a message (`channel`, `message_ts`) or of a `view_id`.

    `block_id` tells elements of one name apart; `value` is what was chosen.
    """
    user = person(call)
    action, block_id = call.args.text("action_id"), call.args.text("block_id")
    where, app, blocks = _in_view(call, user) if "view_id" in call.args else _in_message(call, user)
    block, element = found(blocks, action, block_id)
    row = {"action_id": action, "block_id": block.get("block_id", ""), "action_ts": action_ts(call)}
    used = {**entered(element, call.args.all().get("value")), **row}
    view = str(where.get("view", {}).get("id", ""))
    body = {**basics(call, app, user, "block_actions"), **where, "actions": [used]}
    body["trigger_id"] = new_trigger(call, app, user, view=view)
    key = ""
    if "channel" in where:
        message: Row = where["message"]
        channel = call.state.channels[where["channel"]["id"]]
        key = new_reply_url(call, app, user, channel, ts=message["ts"], thread=message.get("thread_ts"))
        body["response_url"] = reply_address(call, key, "actions")
        body["state"] = {"values": {}}
    return hand(call, app, user, body, named="block_actions", key=key, view=view)


@FAMILY.method("emulator.interactions.suggest", tier=Tier.FREE, tokens=OPERATOR, write=True)
def suggest(call: Call) -> Reply:
    """The person `user` types `value` into a menu whose options the app knows; the answer holds them."""
    user = person(call)
    where, app, blocks = _in_view(call, user) if "view_id" in call.args else _in_message(call, user)
    block, element = found(blocks, call.args.text("action_id"), call.args.text("block_id"))
    body = {
        **basics(call, app, user, "block_suggestion"),
        **where,
        "action_id": element["action_id"],
        "block_id": block.get("block_id", ""),
        "value": call.args.text("value"),
    }
    return hand(call, app, user, body, kind="options", named="block_suggestion")


@FAMILY.method("emulator.interactions.shortcut", tier=Tier.FREE, tokens=OPERATOR, write=True)
def use_shortcut(call: Call) -> Reply:
    """The person `user` uses the shortcut `callback_id`, on a message (`channel`, `message_ts`) if it is for those."""
    user = person(call)
    app, shortcut = _shortcut(call)
    told = {"callback_id": shortcut.callback_id, "trigger_id": new_trigger(call, app, user)}
    told["action_ts"] = action_ts(call)
    if shortcut.kind == "global":
        return hand(call, app, user, {**basics(call, app, user, "shortcut"), **told}, named="shortcut")
    channel, ts, message = _message(call, user)
    key = new_reply_url(call, app, user, channel, ts=ts, thread=message.thread)
    body = {**basics(call, app, user, "message_action"), **told, "message_ts": ts, "message": message.row}
    body |= {"channel": about_channel(channel), "response_url": reply_address(call, key, "actions")}
    return hand(call, app, user, body, named="message_action", key=key)


def hand(
    call: Call,
    app: App,
    user: User,
    body: Row,
    *,
    named: str,
    kind: PayloadKind = "interactive",
    url: str | None = None,
    key: str = "",
    view: str = "",
) -> Reply:
    """Send the body to the app and remember what it belongs to; `url` None takes that of the manifest.

    Raises:
        Refusal: interactivity_disabled: the app's manifest switches it off.
    """
    manifest = app.manifest
    if manifest is not None and kind != "slash_commands" and not manifest.interactivity:
        raise Refusal("interactivity_disabled")
    if url is None and manifest is not None:
        url = manifest.options_url if kind == "options" else manifest.actions_url
    number = str(call.state.surfaces.draw())
    told = Interaction(app=app.id, user=user.id, kind=named, reply_url=key, view=view)
    call.state.surfaces.interactions[number] = told
    call.payloads.append(Payload(app=app.id, kind=kind, url=url or "", interaction=number, body=body))
    return {"interaction": number, "app_id": app.id}


def person(call: Call) -> User:
    """The person that the argument `user` names by id.

    Raises:
        Refusal: user_not_found.
    """
    user = call.state.users.get(call.args.text("user"))
    if user is None or user.app is not None or user.deleted:
        raise Refusal("user_not_found")
    return user


def app_of(call: Call, ident: str) -> App:
    """The app, if it is still installed.

    Raises:
        Refusal: app_not_found.
    """
    app = call.state.apps.get(ident)
    if app is None or app.revoked:
        raise Refusal("app_not_found")
    return app


def _channel(call: Call) -> Channel:
    given = call.args.text("channel")
    channel = call.state.channels.get(call.state.names.get(given.removeprefix("#"), given))
    if channel is None:
        raise Refusal("channel_not_found")
    return channel


def _owner(call: Call, name: str) -> tuple[App, Command]:
    """The app that answers to the command: the one that was installed last, as in Slack."""
    for app in reversed(call.state.apps.values()):
        if not app.revoked and app.manifest is not None and name in app.manifest.commands and "commands" in app.scopes:
            return app, app.manifest.commands[name]
    raise Refusal("unknown_command")


def _shortcut(call: Call) -> tuple[App, Shortcut]:
    name = call.args.text("callback_id")
    for app in reversed(call.state.apps.values()):
        if not app.revoked and app.manifest is not None and name in app.manifest.shortcuts:
            return app, app.manifest.shortcuts[name]
    raise Refusal("unknown_shortcut")


def _message(call: Call, user: User) -> tuple[Channel, str, Stored]:
    channel, ts = _channel(call), call.args.text("message_ts")
    if channel.private and user.id not in channel.members:
        raise Refusal("channel_not_found")
    message = channel.messages.get(ts)
    if message is None:
        raise Refusal("message_not_found")
    return channel, ts, message


def _in_message(call: Call, user: User) -> tuple[Row, App, list[Row]]:
    channel, ts = _channel(call), call.args.text("message_ts")
    row = _whisper(call, user, channel, ts)
    ephemeral = row is not None
    if row is None:
        row = _message(call, user)[2].row
    blocks: list[Row] = [*(row.get("blocks") or ())]
    for attachment in row.get("attachments") or ():
        blocks += attachment.get("blocks", ())
    container = {"type": "message", "message_ts": ts, "channel_id": channel.id, "is_ephemeral": ephemeral}
    where = {"container": container, "channel": about_channel(channel), "message": row}
    return where, app_of(call, str(row.get("app_id", ""))), blocks


def _whisper(call: Call, user: User, channel: Channel, ts: str) -> Row | None:
    rows = call.state.surfaces.whispers.get(user.id, ())
    return next((row for row in rows if (row["ts"], row["channel"]) == (ts, channel.id)), None)


def _in_view(call: Call, user: User) -> tuple[Row, App, list[Row]]:
    view = call.state.surfaces.views.get(call.args.text("view_id"))
    if view is None or view.user != user.id or not view.shown:
        raise Refusal("view_not_found")
    container = {"type": "view", "view_id": view.id}
    return {"container": container, "view": view.row}, app_of(call, view.app), view.row["blocks"]

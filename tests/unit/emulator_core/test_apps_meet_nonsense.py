"""Whatever an app or a script sends, these methods answer with a code of Slack's, and never fall over."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slackmq.emulator.methods import METHODS
from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR, Workspace

KEYS = st.sampled_from(
    [
        *("type", "title", "blocks", "block_id", "action_id", "element", "elements", "accessory", "text", "value"),
        *("submit", "close", "external_id", "callback_id", "private_metadata", "options", "id", "initial_options"),
        *("settings", "features", "oauth_config", "scopes", "bot", "display_information", "name", "slash_commands"),
        *("response_type", "replace_original", "attachments", "view", "response_action", "errors", "thread_ts"),
    ],
)
WORDS = st.sampled_from(
    ["modal", "home", "input", "actions", "button", "plain_text", "static_select", "checkboxes", "x", "", "overflow"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
BLOCK = st.fixed_dictionaries(
    {"type": WORDS | JSON},
    optional={
        "element": st.fixed_dictionaries({"type": WORDS | JSON}, optional={"action_id": JSON, "options": JSON}),
        "elements": st.lists(st.fixed_dictionaries({"type": WORDS | JSON}, optional={"action_id": JSON}), max_size=2),
        "accessory": JSON,
        "block_id": JSON,
        "label": JSON,
    },
)
VIEW = st.fixed_dictionaries(
    {"type": st.sampled_from(["modal", "home"]), "blocks": st.lists(BLOCK, max_size=3)},
    optional={
        "title": st.just({"type": "plain_text", "text": "x"}) | JSON,
        "submit": st.just({"type": "plain_text", "text": "x"}) | JSON,
        "external_id": JSON,
        "callback_id": JSON,
    },
)
MANIFEST = {
    "display_information": {"name": "x"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "shortcuts": [{"name": "New", "type": "global", "callback_id": "new", "description": "x"}],
        "slash_commands": [{"command": "/x", "description": "x"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands", "files:read", "files:write", "incoming-webhook"]}},
    "settings": {"interactivity": {"is_enabled": True}, "socket_mode_enabled": True},
}
MINE = sorted(name for name in METHODS if name.split(".")[0] in {"files", "views", "rtm"})
OPERATORS = sorted(
    name
    for name in METHODS
    if name.startswith("emulator.")
    and name.split(".")[1] in {"apps", "interactions", "modals", "replies", "hooks", "files"}
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(
        [
            *("view", "trigger_id", "view_id", "user_id", "hash", "files", "file", "channel_id", "channels", "count"),
            *("filename", "length", "manifest", "app", "user", "payload", "interaction", "values", "message_ts"),
            *("action_id", "text", "channel", "key", "path", "types", "page", "initial_comment", "callback_id"),
        ]
    ),
    JSON,
    max_size=6,
)


class Stage:
    """A workspace with an app, a person, and an open trigger."""

    def __init__(self) -> None:
        self.workspace = Workspace()
        self.now = 1_700_000_000_000_000
        app = self.ask(OPERATOR, "emulator.apps.create", {"manifest": MANIFEST, "channels": ["#jobs"]})["app"]
        bot = self.workspace.authorize(app["bot_token"])
        assert isinstance(bot, Caller)
        self.bot = bot
        self.user = self.ask(OPERATOR, "emulator.users.list", {})["users"][0]["id"]

    def ask(self, caller: Caller, method: str, args: dict[str, Any]) -> dict[str, Any]:
        self.now += 1000
        return dict(self.workspace.apply(self.now, caller, method, args).reply)

    def trigger(self) -> str:
        self.now += 1000
        args = {"user": self.user, "callback_id": "new"}
        outcome = self.workspace.apply(self.now, OPERATOR, "emulator.interactions.shortcut", args)
        return str(outcome.payloads[0].body["trigger_id"])


@settings(max_examples=300, deadline=None)
@given(method=st.sampled_from(MINE), args=ARGUMENTS)
def test_an_apps_arguments_are_answered(method: str, args: dict[str, Any]) -> None:
    stage = Stage()
    assert isinstance(stage.ask(stage.bot, method, args)["ok"], bool)


@settings(max_examples=300, deadline=None)
@given(method=st.sampled_from(OPERATORS), args=ARGUMENTS)
def test_a_scripts_arguments_are_answered(method: str, args: dict[str, Any]) -> None:
    stage = Stage()
    assert isinstance(stage.ask(OPERATOR, method, {"user": stage.user, **args})["ok"], bool)


@settings(max_examples=300, deadline=None)
@given(view=VIEW, values=JSON, click=WORDS, chosen=JSON)
def test_any_view_is_opened_used_and_changed_or_refused(view: Any, values: Any, click: str, chosen: Any) -> None:
    stage = Stage()
    opened = stage.ask(stage.bot, "views.open", {"trigger_id": stage.trigger(), "view": view})
    home = stage.ask(stage.bot, "views.publish", {"user_id": stage.user, "view": view})
    for reply in (opened, home):
        if reply["ok"]:
            row = reply["view"]
            common = {"user": stage.user, "view_id": row["id"]}
            ids = [e.get("action_id") for block in row["blocks"] for e in [block.get("element", {})]] + [click]
            answers = [
                stage.ask(OPERATOR, "emulator.interactions.click", {**common, "action_id": ids[0], "value": chosen}),
                stage.ask(OPERATOR, "emulator.modals.submit", {**common, "values": values}),
                stage.ask(stage.bot, "views.update", {"view_id": row["id"], "view": view}),
                stage.ask(OPERATOR, "emulator.modals.close", common),
            ]
            assert all(answer["ok"] is True or answer["error"] for answer in answers)
        else:
            assert reply["error"]


@settings(max_examples=300, deadline=None)
@given(payload=st.dictionaries(KEYS, JSON | st.lists(BLOCK, max_size=2), max_size=4))
def test_any_answer_to_a_command_is_shown_or_refused(payload: dict[str, Any]) -> None:
    stage = Stage()
    args = {"user": stage.user, "channel": "#jobs", "text": "/x"}
    number = stage.ask(OPERATOR, "emulator.interactions.command", args)["interaction"]
    settled = stage.ask(OPERATOR, "emulator.interactions.settle", {"interaction": number, "payload": payload})
    key = next(iter(stage.workspace._state.surfaces.reply_urls))
    seen = {"key": key, "payload": {**payload, "response_type": "in_channel"}}
    replied = stage.ask(OPERATOR, "emulator.replies.post", seen)
    path = next(iter(stage.workspace._state.surfaces.webhooks))
    posted = stage.ask(OPERATOR, "emulator.hooks.post", {"path": path, "payload": payload})
    assert all(answer["ok"] is True or answer["error"] for answer in (settled, replied, posted))

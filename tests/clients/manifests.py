"""Manifests of apps under test, and what the operator does with them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from slack_sdk import WebClient

from slackmq.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slackmq.emulator.launch import About

Value = TypeVar("Value")
KINDS = ("channels", "groups", "im", "mpim")
BOT_SCOPES = [
    *(f"{kind}:{deed}" for kind in KINDS for deed in ("history", "read")),
    *("app_mentions:read", "chat:write", "emoji:read", "im:write", "pins:read", "pins:write", "reactions:read"),
    *("reactions:write", "team:read", "users:read", "users:read.email", "users:write"),
    *("bookmarks:read", "bookmarks:write"),
]
"""Of replicas of whichever framework's bot."""
BOT_EVENTS = ["app_mention", *(f"message.{kind}" for kind in KINDS)]
SCOPES = ["chat:write", "channels:history", "channels:read", "commands", "app_mentions:read", "reactions:read"]


def manifest(url: str = "", **settings: Any) -> dict[str, Any]:
    """An app with a slash command, shortcuts and a home tab: over HTTP at `url`, or in Socket Mode."""
    command: dict[str, Any] = {"command": "/deploy", "description": "Deploy something", "usage_hint": "what"}
    events: dict[str, Any] = {"bot_events": ["message.channels", "app_home_opened", "reaction_added"]}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if url:
        command["url"] = interactivity["request_url"] = interactivity["message_menu_options_url"] = url
        events["request_url"] = url
    shortcuts = [
        {"name": "New", "type": "global", "callback_id": "new", "description": "Begin"},
        {"name": "Copy", "type": "message", "callback_id": "copy", "description": "Copy it"},
    ]
    return {
        "display_information": {"name": "Deployer"},
        "features": {
            "bot_user": {"display_name": "deployer"},
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "slash_commands": [command],
            "shortcuts": shortcuts,
        },
        "oauth_config": {"scopes": {"bot": SCOPES}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "socket_mode_enabled": not url,
            **settings,
        },
    }


def chatbot(scopes: Sequence[str], events: Sequence[str], url: str = "", **settings: Any) -> dict[str, Any]:
    """The same app with other scopes and events."""
    given = manifest(url, **settings)
    given["oauth_config"] = {"scopes": {"bot": list(scopes)}}
    given["settings"]["event_subscriptions"]["bot_events"] = list(events)
    return given


class Operator:
    """Whoever runs the emulator, over its own door."""

    def __init__(self, about: About) -> None:
        self.about = about
        self._client = WebClient(
            "none", base_url=f"{about.page_url}emulator/", headers={"X-Emulator-Operator": about.operator_token}
        )

    def call(self, method: str, **args: Any) -> Mapping[str, Any]:
        """Call a method as the operator; slack_sdk raises if it is refused."""
        reply: Any = self._client.api_call(f"api/{method}", json=args)
        return dict(reply.data)

    def install(self, given: Any, *channels: str) -> Mapping[str, Any]:
        """Install an app; returns it, with its secrets as `credentials`."""
        reply = self.call("emulator.apps.create", manifest=given, channels=list(channels or ["#jobs"]))
        return {**reply["app"], **reply["credentials"]}

    def person(self, deed: str, **args: Any) -> Mapping[str, Any]:
        """Have the first person do something with an app, and wait for the app."""
        user = self.about.users[0].id
        reply: Any = self._client.api_call(f"people/{deed}", json={"user": user, **args})
        return dict(reply.data)

    def seen(self) -> Mapping[str, Any]:
        """What only the first person sees."""
        return self.call("emulator.modals.seen", user=self.about.users[0].id)

    def door(self, path: str, **args: Any) -> Mapping[str, Any]:
        """Post to /emulator/<path>."""
        reply: Any = self._client.api_call(path, json=args)
        return dict(reply.data)

    def listeners(self) -> Mapping[str, Any]:
        """Who listens, and how."""
        reply: Any = self._client.api_call("listeners")
        return dict(reply.data)

    def awaited(self, app: str) -> None:
        """Wait until the app listens on a socket: what is said before is told it late, or not at all."""
        eventually(lambda: app in self.listeners()["sockets"])


def eventually(ask: Callable[[], Value], within: float = 60.0) -> Value:
    """What `ask` answers as soon as that is true; asked again and again for `within` seconds."""
    never, deadline = threading.Event(), SYSTEM.monotonic() + within
    while not (value := ask()):
        assert SYSTEM.monotonic() < deadline, f"after {within:.0f} s it is still {value!r}"
        never.wait(0.02)
    return value

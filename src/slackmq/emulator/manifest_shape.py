"""The shape of an app manifest: which keys, of which type, how long; problems are told as Slack tells them.

Sizes and patterns are those of Slack's published schema 1.0.0 (github.com/slackapi/manifest-schema). What Slack
itself says when the shape is wrong is not published: the codes and sentences for that are ours, the pointers as there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MANIFEST", "Problem", "problems_of"]

Problem = dict[str, str]
"""`code`, `message` and `pointer`, as in the answer of apps.manifest.validate."""

_URL = r"https?://.*"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A string of `least` to `most` characters that `pattern` matches as a whole."""

    most: int
    least: int = 1
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flag:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anything:
    """A part that this workspace keeps and does not look into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """A list of at most `most`."""

    of: _Shape
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """An object with these keys and no others."""

    keys: Mapping[str, _Shape]
    required: tuple[str, ...] = field(default=())


_Shape = _Text | _Flag | _Anything | _List | _Object

_NAMES = _List(of=_Text(most=50), most=255)
_EVENTS = _List(of=_Text(most=50), most=100)
_COMMAND = _Object(
    keys={
        "command": _Text(least=2, most=32, pattern=r"/.*"),
        "url": _Text(most=3000, pattern=_URL),
        "description": _Text(most=2000),
        "usage_hint": _Text(most=1000),
        "should_escape": _Flag(),
    },
    required=("command", "description"),
)
_SHORTCUT = _Object(
    keys={
        "name": _Text(most=24),
        "type": _Text(most=7, pattern="message|global"),
        "callback_id": _Text(most=255),
        "description": _Text(most=150),
    },
    required=("name", "type", "callback_id", "description"),
)
_FEATURES = _Object(
    keys={
        "app_home": _Object(
            keys=dict.fromkeys(
                ("home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"),
                _Flag(),
            ),
        ),
        "bot_user": _Object(
            keys={"display_name": _Text(most=80), "always_online": _Flag()}, required=("display_name",)
        ),
        "slash_commands": _List(of=_COMMAND, most=50),
        "shortcuts": _List(of=_SHORTCUT, most=10),
        **dict.fromkeys(("functions", "workflow_steps", "unfurl_domains", "assistant_view"), _Anything()),
    },
)
_SUBSCRIPTIONS = _Object(
    keys={
        "request_url": _Text(most=3500, pattern=_URL),
        "user_events": _EVENTS,
        "bot_events": _EVENTS,
        "metadata_subscriptions": _List(
            of=_Object(
                keys={"app_id": _Text(most=50), "event_type": _Text(most=50)}, required=("app_id", "event_type")
            ),
            most=20,
        ),
    },
)
_INTERACTIVITY = _Object(
    keys={
        "is_enabled": _Flag(),
        "request_url": _Text(most=3500, pattern=_URL),
        "message_menu_options_url": _Text(most=3500, pattern=_URL),
    },
    required=("is_enabled",),
)
_SETTINGS = _Object(
    keys={
        "event_subscriptions": _SUBSCRIPTIONS,
        "interactivity": _INTERACTIVITY,
        **dict.fromkeys(
            ("org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled", "is_hosted", "is_mcp_enabled"),
            _Flag(),
        ),
        **dict.fromkeys(
            ("allowed_ip_address_ranges", "function_runtime", "siws_links", "hermes_app_type", "incoming_webhooks"),
            _Anything(),
        ),
        "app_level_token_rotation_enabled": _Flag(),
    },
)
MANIFEST = _Object(
    keys={
        "display_information": _Object(
            keys={
                "name": _Text(most=35),
                "description": _Text(most=140),
                "long_description": _Text(least=175, most=4000),
                "background_color": _Text(most=7, pattern=r"#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?"),
            },
            required=("name",),
        ),
        "features": _FEATURES,
        "oauth_config": _Object(
            keys={
                "redirect_urls": _List(of=_Text(most=2500), most=1000),
                "scopes": _Object(keys=dict.fromkeys(("user", "bot", "user_optional", "bot_optional"), _NAMES)),
                "token_management_enabled": _Flag(),
                "pkce_enabled": _Flag(),
            },
        ),
        "settings": _SETTINGS,
        **dict.fromkeys(("$schema", "_metadata", "app_directory", "functions", "workflows", "datastores"), _Anything()),
        **dict.fromkeys(("outgoing_domains", "types", "external_auth_providers"), _Anything()),
    },
    required=("display_information",),
)
"""The whole manifest."""


def problems_of(value: object, shape: _Shape = MANIFEST, pointer: str = "") -> Iterator[Problem]:
    """Everything that is wrong with the shape of a manifest, or of a part of it."""
    match shape:
        case _Anything():
            return
        case _Flag():
            if not isinstance(value, bool):
                yield _problem("must_be_boolean", "Must be true or false", pointer)
        case _Text():
            yield from _of_text(value, shape, pointer)
        case _List():
            if not isinstance(value, list):
                yield _problem("must_be_array", "Must be a list", pointer)
                return
            items = cast("list[object]", value)
            if len(items) > shape.most:
                yield _problem("too_many_items", f"Must not hold more than {shape.most} items", pointer)
            for index, item in enumerate(items):
                yield from problems_of(item, shape.of, f"{pointer}/{index}")
        case _Object():
            yield from _of_object(value, shape, pointer)


def _of_text(value: object, shape: _Text, pointer: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _problem("must_be_string", "Must be a string", pointer)
    elif not shape.least <= len(value) <= shape.most:
        sentence = f"Must be {shape.least} to {shape.most} characters long, and is {len(value)}"
        yield _problem("invalid_length", sentence, pointer)
    elif shape.pattern and not re.fullmatch(shape.pattern, value, re.DOTALL):
        yield _problem("invalid_pattern", f"Must match {shape.pattern}", pointer)


def _of_object(value: object, shape: _Object, pointer: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _problem("must_be_object", "Must be an object", pointer)
        return
    values = cast("dict[str, Any]", value)
    for name in shape.required:
        if name not in values:
            yield _problem("missing_required_property", f"Missing required property `{name}`", f"{pointer}/{name}")
    for name, part in values.items():
        inner = shape.keys.get(name)
        if inner is None:
            yield _problem("unexpected_property", f"Unexpected property `{name}`", f"{pointer}/{name}")
        else:
            yield from problems_of(part, inner, f"{pointer}/{name}")


def _problem(code: str, message: str, pointer: str) -> Problem:
    return {"code": code, "message": message, "pointer": pointer or "/"}

"""What an app asks of a workspace: the manifest it is installed from, checked as Slack checks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slackmq.emulator.bot_scopes import BOT_SCOPES
from slackmq.emulator.manifest_shape import problems_of
from slackmq.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slackmq.emulator.manifest_shape import Problem

__all__ = ["Command", "Manifest", "Shortcut", "manifest_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command. `url` is "" if Socket Mode brings it."""

    name: str
    url: str
    description: str
    hint: str
    escape: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A shortcut: a `message` one stands in a message's menu, a `global` one in the search box."""

    name: str
    callback_id: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest that was found right.

    Attributes:
        given: as it was written.
        bot: the bot user's name.
        scopes: what the bot token may do.
        events: the bot events it is subscribed to.
        metadata: (app id, event type) of the metadata it wants to hear of; "*" stands for any type.
        socket_mode: True if everything comes over WebSockets and nothing to the URLs.
        events_url: where events go without Socket Mode.
        interactivity: True if buttons, menus, modals and shortcuts work.
        actions_url: where they go without Socket Mode.
        options_url: where menus ask for their options.
        home_tab: True if views.publish works.
        messages_tab: True if people can write to the bot.
    """

    given: Mapping[str, Any]
    name: str
    bot: str
    scopes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    socket_mode: bool = True
    events_url: str = ""
    interactivity: bool = True
    actions_url: str = ""
    options_url: str = ""
    commands: Mapping[str, Command] = field(default_factory=dict[str, Command])
    shortcuts: Mapping[str, Shortcut] = field(default_factory=dict[str, Shortcut])
    home_tab: bool = True
    messages_tab: bool = True


def manifest_of(given: Mapping[str, Any]) -> Manifest:
    """The manifest in a JSON object.

    Raises:
        Refusal: invalid_manifest, with `errors`: a list of code, message and JSON pointer each (docs.slack.dev,
            apps.manifest.validate).
    """
    problems = list(problems_of(given)) or list(_contradictions(given))
    if problems:
        raise Refusal("invalid_manifest", errors=problems)
    about, features, settings = given["display_information"], _part(given, "features"), _part(given, "settings")
    subscriptions, interactivity = _part(settings, "event_subscriptions"), _part(settings, "interactivity")
    home = _part(features, "app_home")
    metadata = subscriptions.get("metadata_subscriptions", ())
    return Manifest(
        given=given,
        name=about["name"],
        bot=_part(features, "bot_user").get("display_name", about["name"]),
        scopes=tuple(_scopes(given)),
        events=tuple(subscriptions.get("bot_events", ())),
        metadata=tuple((wanted["app_id"], wanted["event_type"]) for wanted in metadata),
        socket_mode=settings.get("socket_mode_enabled", False),
        events_url=subscriptions.get("request_url", ""),
        interactivity=interactivity.get("is_enabled", False),
        actions_url=interactivity.get("request_url", ""),
        options_url=interactivity.get("message_menu_options_url", "") or interactivity.get("request_url", ""),
        commands={row["command"]: _command(row) for row in features.get("slash_commands", ())},
        shortcuts={row["callback_id"]: _shortcut(row) for row in features.get("shortcuts", ())},
        home_tab=home.get("home_tab_enabled", False),
        messages_tab=home.get("messages_tab_enabled", False),
    )


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = whole.get(name, {})
    return part


def _scopes(given: Mapping[str, Any]) -> list[str]:
    scopes = _part(_part(given, "oauth_config"), "scopes")
    return [*scopes.get("bot", ()), *scopes.get("bot_optional", ())]


def _command(row: Mapping[str, Any]) -> Command:
    return Command(
        name=row["command"],
        url=row.get("url", ""),
        description=row["description"],
        hint=row.get("usage_hint", ""),
        escape=row.get("should_escape", False),
    )


def _shortcut(row: Mapping[str, Any]) -> Shortcut:
    return Shortcut(name=row["name"], callback_id=row["callback_id"], kind=row["type"])


def _contradictions(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Parts that are well formed and do not go together; the first four sentences are Slack's own."""
    features, settings, scopes = _part(given, "features"), _part(given, "settings"), _scopes(given)
    socket_mode = settings.get("socket_mode_enabled", False)
    subscriptions, interactivity = _part(settings, "event_subscriptions"), _part(settings, "interactivity")
    if illegal := [scope for scope in scopes if scope not in BOT_SCOPES]:
        names = ", ".join(f"`{scope}`" for scope in illegal)
        yield _problem("illegal_bot_scopes", f"Illegal bot scopes found {names}", "/oauth_config/scopes/bot")
    if "event_subscriptions" in settings and not socket_mode and not subscriptions.get("request_url"):
        sentence = "Event Subscription requires either Request URL or Socket Mode Enabled"
        yield _problem("requires_request_url", sentence, "/settings/event_subscriptions")
    if interactivity.get("is_enabled") and not socket_mode and not interactivity.get("request_url"):
        yield _problem("requires_request_url", "Interactivity requires a Request URL", "/settings/interactivity")
    if "bot_user" in features and not scopes:
        yield _problem("requires_a_bot_scope", "A bot user requires at least one bot scope", "/features/bot_user")
    if subscriptions.get("bot_events") and "bot_user" not in features and not scopes:
        pointer = "/settings/event_subscriptions"
        yield _problem("target_component_is_null", "Bot events require a bot user and a bot scope", pointer)
    for index, row in enumerate(features.get("slash_commands", ())):
        if not socket_mode and not row.get("url"):
            pointer = f"/features/slash_commands/{index}"
            yield _problem("requires_request_url", "A slash command requires a URL or Socket Mode", pointer)


def _problem(code: str, message: str, pointer: str) -> Problem:
    return {"code": code, "message": message, "pointer": pointer}

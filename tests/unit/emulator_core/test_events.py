from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slackmq.emulator.model import Event
    from slackmq.emulator.workspace import Workspace

Ask = Callable[..., dict[str, Any]]


def apps(operator: Ask) -> dict[str, str]:
    return {app["name"]: app["id"] for app in operator("emulator.apps.list")["apps"]}


def test_every_subscribed_app_in_the_channel_is_told_its_own_posts_included(
    workspace: Workspace, operator: Ask, bot: Ask, told: list[Event]
) -> None:
    operator("emulator.apps.install", name="stranger", channels="jobs")
    ids = apps(operator)
    bot("chat.postMessage", channel="#jobs", text="x")
    assert workspace.audience(told[-1]) == (ids["slackmq"], ids["stranger"])
    bot("chat.postMessage", channel="#general", text="x")
    assert workspace.audience(told[-1]) == (ids["slackmq"],)


def test_an_app_hears_only_what_it_subscribed_to_and_has_the_scope_for(
    workspace: Workspace, operator: Ask, bot: Ask, told: list[Event]
) -> None:
    wanted = {"name": "deaf", "channels": "jobs", "events": "reaction_added,message.channels"}
    operator("emulator.apps.install", **wanted, scopes="channels:history")
    listener = apps(operator)["deaf"]
    posted = bot("chat.postMessage", channel="#jobs", text="x")
    assert listener in workspace.audience(told[-1])
    item = {"channel": posted["channel"], "timestamp": posted["ts"]}
    bot("reactions.add", **item, name="eyes")
    assert listener not in workspace.audience(told[-1])
    bot("pins.add", **item)
    assert listener not in workspace.audience(next(event for event in told if event.subscription == "pin_added"))


def test_a_revoked_app_hears_nothing(workspace: Workspace, operator: Ask, you: Ask, told: list[Event]) -> None:
    operator("emulator.apps.revoke", app=apps(operator)["slackmq"])
    you("chat.postMessage", channel="#jobs", text="x")
    assert workspace.audience(told[-1]) == ()


def test_a_mention_tells_the_mentioned_app_once_more(
    workspace: Workspace, operator: Ask, you: Ask, bot: Ask, told: list[Event]
) -> None:
    events = "message.channels,app_mention"
    app = operator("emulator.apps.install", name="butler", channels="jobs", events=events)["app"]
    you("chat.postMessage", channel="#jobs", text=f"<@{app['bot_user']}> tea")
    message, mention = told[-2:]
    assert (message.inner["type"], mention.inner["type"]) == ("message", "app_mention")
    assert workspace.audience(mention) == (app["id"],)
    you("chat.postMessage", channel="#jobs", text=f"<@{bot('auth.test')['user_id']}> tea")
    assert workspace.audience(told[-1]) == ()


def test_the_wrapper_has_the_keys_of_the_events_api(
    workspace: Workspace, operator: Ask, bot: Ask, told: list[Event]
) -> None:
    bot("chat.postMessage", channel="#jobs", text="x")
    app = apps(operator)["slackmq"]
    wrapped = workspace.wrap(told[-1], app, 1_700_000_123_456_789)
    assert wrapped.keys() == {
        "token",
        "team_id",
        "context_team_id",
        "context_enterprise_id",
        "api_app_id",
        "event",
        "type",
        "event_id",
        "event_time",
        "authorizations",
        "is_ext_shared_channel",
        "event_context",
    }
    assert (wrapped["type"], wrapped["api_app_id"], wrapped["event_time"]) == ("event_callback", app, 1_700_000_123)
    assert wrapped["event"] == told[-1].inner
    assert wrapped["authorizations"][0]["user_id"] == bot("auth.test")["user_id"]


def test_every_event_has_an_id_of_its_own_and_keeps_it(
    workspace: Workspace, operator: Ask, bot: Ask, jobs: str, told: list[Event]
) -> None:
    ts = bot("chat.postMessage", channel=jobs, text="x")["ts"]
    for name in ("eyes", "x"):
        bot("reactions.add", channel=jobs, timestamp=ts, name=name)
        bot("reactions.remove", channel=jobs, timestamp=ts, name=name)
    bot("pins.add", channel=jobs, timestamp=ts)
    bot("chat.update", channel=jobs, ts=ts, text="y")
    bot("chat.delete", channel=jobs, ts=ts)
    app = apps(operator)["slackmq"]
    ids = [workspace.wrap(event, app, 1)["event_id"] for event in told]
    assert len(set(ids)) == len(told) == 9
    assert ids == [workspace.wrap(event, app, 2)["event_id"] for event in told]


def test_a_message_event_has_slacks_keys(bot: Ask, you: Ask, told: list[Event]) -> None:
    bot("chat.postMessage", channel="#jobs", text="x")
    around = {"type", "text", "user", "ts", "team", "channel", "event_ts", "channel_type"}
    assert told[-1].inner.keys() == around | {"bot_id", "app_id", "bot_profile"}
    you("chat.postMessage", channel="#jobs", text="x")
    assert told[-1].inner.keys() == around | {"client_msg_id", "blocks"}
    assert told[-1].inner["event_ts"] == told[-1].inner["ts"]


def test_a_refused_call_tells_nothing(bot: Ask, jobs: str, told: list[Event]) -> None:
    for method in ("chat.postMessage", "reactions.add", "pins.add", "chat.delete"):
        assert not bot(method, channel=jobs)["ok"]
    assert told == []

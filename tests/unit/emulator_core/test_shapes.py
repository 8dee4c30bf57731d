"""The replies beside recorded answers of Slack: path -> JSON type, in tests/data/slack-response-shapes.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from slackmq.emulator.seed import QUEUE_SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

Ask = Callable[..., dict[str, Any]]

DATA = Path(__file__).parents[2] / "data" / "slack-response-shapes.json"
RECORDED: dict[str, dict[str, str]] = json.loads(DATA.read_text(encoding="utf-8"))

SCOPES = (
    *QUEUE_SCOPES,
    *("bookmarks:read", "bookmarks:write", "chat:write.customize", "emoji:read", "files:read", "files:write"),
    *("im:read", "im:write", "mpim:read"),
)
DOCUMENTED = {
    # No recorded answer showed these; Slack's docs do.
    "chat.postMessage": {"message.blocks", "message.client_msg_id", "warning", "response_metadata.warnings"},
    "conversations.info": {"channel.user"},  # of a direct message
    "conversations.history": {
        "messages[].pinned_to",
        "messages[].pinned_info",
        "messages[].item",
        "messages[].item_type",
    },
    "conversations.replies": {
        f"messages[].{key}" for key in ("client_msg_id", "pinned_to", "pinned_info", "subtype", "root")
    },
    "pins.list": {"items[].channel", "items[].message"},
    "emoji.list": {"emoji.party"},  # the names are the workspace's own
    "views.publish": {"view.state.values"},
    "stars.list": {"response_metadata"},  # for callers who give the documented `limit`
}
# A bot's pictures are recorded under changing names, shares under ids; message contents have shapes of their own.
OPAQUE = (
    "bot_profile.icons",
    ".shares",
    "blocks",
    "attachments",
    "event_payload",
    "args",
    "message.pinned_info",
    ".item",
    ".root",
)


def paths(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            yield path, "object"
            for key, inner in cast("dict[str, object]", value).items():
                yield from paths(inner, f"{path}.{key}" if path else key)
        case list():
            yield path, "array"
            for inner in cast("list[object]", value):
                yield from paths(inner, f"{path}[]")
        case bool():
            yield path, "bool"
        case int() | float():
            yield path, "number"
        case str():
            yield path, "string"
        case _:
            assert value is None  # Slack writes null for what is not there, whatever the type


def strange(method: str, reply: dict[str, Any]) -> list[tuple[str, str]]:
    known = RECORDED[method]
    documented = DOCUMENTED.get(method, set[str]())

    def excused(path: str) -> bool:
        return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in documented) or any(
            f"{part}[" in path or f"{part}." in path for part in OPAQUE
        )

    return [(path, kind) for path, kind in paths(reply) if not excused(path) and known.get(path) != kind]


Calls = list[tuple[str, dict[str, Any]]]


class Scene:
    """A workspace in which everything happens that can, and every reply that it gave."""

    def __init__(self, bot: Ask, you: Ask, channel: str) -> None:
        self.bot, self.you, self.channel = bot, you, channel
        self.done: Calls = []

    def ask(self, method: str, *, by: Ask | None = None, **args: object) -> dict[str, Any]:
        reply = (by or self.bot)(method, **{"channel": self.channel, **args})
        assert reply["ok"], (method, reply)
        self.done.append((method, reply))
        return reply


@pytest.fixture
def scene(bot_of: Callable[..., Ask], you: Ask, jobs: str) -> Scene:
    return Scene(bot_of(*SCOPES), you, jobs)


def messages(scene: Scene, operator: Ask) -> None:
    operator("emulator.emoji.add", name="party", url="https://example.com/party.gif")
    operator("emulator.users.create", name="guest", guest="restricted")
    metadata = {"event_type": "job", "event_payload": {"a": 1}}
    mine = scene.ask("chat.postMessage", text="x", metadata=metadata, blocks=[{"type": "divider"}])["ts"]
    yours = scene.ask("chat.postMessage", by=scene.you, text="x" * 40_001)["ts"]
    scene.ask("chat.postMessage", text="x", username="robot", icon_emoji=":x:")
    scene.ask("chat.postMessage", text="x", username="robot", icon_url="https://example.com/x.png")
    scene.ask("chat.postMessage", text="x", thread_ts=yours, attachments=[{"text": "y"}])
    broadcast = scene.ask("chat.postMessage", text="x", thread_ts=yours, reply_broadcast=True)["ts"]
    scene.bot("chat.meMessage", channel=scene.channel, text="dances")
    scene.ask("chat.update", ts=mine, text="y")
    for method in ("reactions.add", "reactions.remove", "reactions.add"):
        scene.ask(method, timestamp=mine, name="eyes")
    scene.ask("reactions.add", timestamp=broadcast, name="party")
    scene.ask("reactions.add", timestamp=yours, name="eyes")
    scene.ask("pins.add", timestamp=yours)
    scene.ask("pins.add", timestamp=mine)
    scene.bot("conversations.setTopic", channel=scene.channel, topic="today")
    scene.bot("conversations.setPurpose", channel=scene.channel, purpose="jobs")
    scene.ask("stars.add", by=scene.you, timestamp=yours)
    scene.ask("stars.add", by=scene.you, timestamp=mine)
    scene.ask("stars.add", by=scene.you)
    reads(scene, mine, yours)
    scene.ask("pins.remove", timestamp=mine)
    scene.ask("chat.delete", ts=mine)


def reads(scene: Scene, mine: str, yours: str) -> None:
    scene.ask("pins.list")
    scene.ask("stars.list", by=scene.you)
    scene.ask("stars.list", by=scene.you, limit=1)
    scene.ask("reactions.list")
    scene.ask("reactions.list", limit=1)
    scene.ask("conversations.history", include_all_metadata=True, limit=3)
    scene.ask("conversations.history")
    scene.ask("conversations.replies", ts=yours)
    scene.ask("conversations.replies", ts=yours, limit=1)
    scene.ask("reactions.get", timestamp=mine)
    scene.ask("reactions.get", timestamp=yours)
    scene.ask("chat.getPermalink", message_ts=mine)


def channels(scene: Scene) -> None:
    fresh = scene.ask("conversations.create", by=scene.you, name="fresh")["channel"]["id"]
    scene.ask("conversations.join", channel=fresh)
    scene.ask("conversations.join", channel=fresh)
    scene.ask("conversations.info", channel=fresh, include_num_members=True, include_locale=True)
    yours = scene.you("auth.test")["user_id"]
    direct = scene.bot("conversations.open", users=yours, return_im=True)["channel"]["id"]
    scene.ask("conversations.info", channel=direct)
    scene.you(
        "conversations.open", users=[scene.bot("auth.test")["user_id"], scene.bot("users.list")["members"][1]["id"]]
    )
    every = "public_channel,private_channel,im,mpim"
    scene.ask("conversations.list", types=every)
    scene.ask("users.conversations", types=every)
    scene.ask("conversations.members")
    at: dict[str, Any] = {"post_at": 1_700_003_600, "metadata": {"event_type": "job", "event_payload": {"a": 1}}}
    later = scene.ask("chat.scheduleMessage", text="later", **at)["scheduled_message_id"]
    scene.ask("chat.scheduleMessage", by=scene.you, text="later", **at)
    scene.ask("chat.scheduledMessages.list")
    scene.ask("chat.deleteScheduledMessage", scheduled_message_id=later)
    link: dict[str, Any] = {"title": "docs", "type": "link", "link": "https://example.com", "emoji": ":eyes:"}
    scene.ask("bookmarks.add", channel_id=scene.channel, **link)
    scene.ask("bookmarks.list", channel_id=scene.channel)
    scene.ask("conversations.archive", channel=fresh)


def people(scene: Scene) -> None:
    scene.you(
        "users.profile.set", profile={"status_text": "away", "status_emoji": ":palm_tree:", "status_expiration": 1}
    )
    scene.ask("users.list", include_locale=True)
    scene.ask("users.info", user=scene.bot("auth.test")["user_id"])
    scene.ask("users.info", by=scene.you, user=scene.you("auth.test")["user_id"])
    scene.ask("team.info")
    scene.ask("emoji.list", include_categories=True)
    scene.ask("auth.test")
    scene.ask("auth.test", by=scene.you)
    scene.ask("api.test")


def files(scene: Scene, operator: Ask) -> None:
    sent: list[dict[str, Any]] = []
    kinds: dict[str, dict[str, Any]] = {"a.csv": {}, "cat.png": {"alt_txt": "cat"}, "code": {"snippet_type": "python"}}
    for name, more in kinds.items():
        ident = scene.ask("files.getUploadURLExternal", filename=name, length=8, **more)["file_id"]
        operator("emulator.files.uploaded", file=ident, length=8)
        sent.append({"id": ident, "title": name})
    scene.ask("files.completeUploadExternal", files=sent[:1])
    scene.ask("files.completeUploadExternal", files=sent[1:], channel_id=scene.channel, initial_comment="look")
    for file in sent:
        scene.ask("files.info", file=file["id"])
    scene.ask("conversations.history", limit=1)


def surfaces(scene: Scene, app: Ask) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    view = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}], "private_metadata": "x"}
    for more in ({}, {"callback_id": "home", "external_id": "mine"}):
        scene.ask("views.publish", user_id=scene.you("auth.test")["user_id"], view={**view, **more})
    scene.ask("apps.connections.open", by=app)


@pytest.fixture
def calls(scene: Scene, operator: Ask, with_token: Callable[[str], Ask]) -> Calls:
    """Each method's replies."""
    messages(scene, operator)
    channels(scene)
    people(scene)
    files(scene, operator)
    surfaces(scene, with_token(operator("emulator.apps.list")["apps"][0]["app_token"]))
    return scene.done


def test_no_reply_has_a_key_or_a_type_that_slack_never_sent(calls: Calls) -> None:
    assert {method: strange(method, reply) for method, reply in calls if strange(method, reply)} == {}


def test_every_recorded_method_is_compared(calls: Calls) -> None:
    assert {method for method, _ in calls} == set(RECORDED)


def test_no_excuse_is_older_than_its_reason(calls: Calls) -> None:
    """A path that is excused and never comes up has no business in the list."""
    seen = {(method, path) for method, reply in calls for path, _ in paths(reply)}
    unused = {
        (method, name)
        for method, names in DOCUMENTED.items()
        for name in names
        if not any(method == other and path.startswith(name) for other, path in seen)
    }
    assert unused == set()


def test_a_refusal_has_the_keys_of_a_refusal(bot: Ask) -> None:
    answering = {"auth.test", "api.test", "team.info", "users.list", "chat.scheduledMessages.list", "reactions.list"}
    for method in set(RECORDED) - answering:
        reply = bot(method, name="--", types="x")
        assert (strange(method, reply), reply["ok"]) == ([], False), method

"""The replies beside recorded answers of Slack: path -> JSON type, in tests/data/slack-response-shapes.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Ask = Callable[..., dict[str, Any]]

DATA = Path(__file__).parents[2] / "data" / "slack-response-shapes.json"
RECORDED: dict[str, dict[str, str]] = json.loads(DATA.read_text(encoding="utf-8"))

DOCUMENTED = {
    # No recorded answer showed these; Slack's docs do.
    "chat.postMessage": {"message.blocks", "message.client_msg_id", "warning", "response_metadata.warnings"},
    "chat.update": {"message.attachments"},
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
    "users.info": {"user.profile.bot_id"},
}
# A bot's pictures are recorded under changing names, message contents have shapes of their own.
OPAQUE = (
    "bot_profile.icons",
    "blocks",
    "attachments",
    "event_payload",
    "args",
    "message.pinned_info",
    ".item",
    "items[].message",
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


@pytest.fixture
def calls(bot: Ask, you: Ask, operator: Ask, jobs: str) -> list[tuple[str, dict[str, Any]]]:
    """Each method's replies, in a workspace where everything happened that can."""
    done: list[tuple[str, dict[str, Any]]] = []

    def ask(method: str, *, by: Ask = bot, **args: object) -> dict[str, Any]:
        reply = by(method, **{"channel": jobs, **args})
        done.append((method, reply))
        return reply

    operator("emulator.users.create", name="guest")
    metadata = {"event_type": "job", "event_payload": {"a": 1}}
    mine = ask("chat.postMessage", text="x", metadata=metadata, blocks=[{"type": "divider"}])["ts"]
    yours = ask("chat.postMessage", by=you, text="x" * 40_001)["ts"]
    ask("chat.postMessage", text="x", thread_ts=yours, attachments=[{"text": "y"}])
    ask("chat.postMessage", text="x", thread_ts=yours, reply_broadcast=True)
    ask("chat.update", ts=mine, text="y")
    ask("reactions.add", timestamp=mine, name="eyes")
    ask("reactions.add", timestamp=mine, name="x")
    ask("pins.add", timestamp=yours)
    ask("pins.add", timestamp=mine)
    ask("pins.list")
    ask("conversations.history", include_all_metadata=True, limit=3)
    ask("conversations.history")
    ask("conversations.replies", ts=yours)
    ask("reactions.get", timestamp=mine)
    ask("chat.getPermalink", message_ts=mine)
    ask("pins.remove", timestamp=mine)
    ask("reactions.remove", timestamp=mine, name="x")
    ask("chat.delete", ts=mine)
    fresh = ask("conversations.create", by=you, name="fresh")["channel"]["id"]
    ask("conversations.join", channel=fresh)
    ask("conversations.join", channel=fresh)
    ask("conversations.info", channel=fresh, include_num_members=True)
    ask("conversations.list")
    ask("conversations.members")
    ask("conversations.archive", channel=fresh)
    ask("users.list")
    ask("users.info", user=bot("auth.test")["user_id"])
    ask("team.info")
    ask("auth.test")
    ask("auth.test", by=you)
    ask("api.test")
    return done


def test_no_reply_has_a_key_or_a_type_that_slack_never_sent(calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert all(reply["ok"] for _, reply in calls)
    assert {method: strange(method, reply) for method, reply in calls if strange(method, reply)} == {}


def test_every_recorded_method_that_we_have_is_compared(calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert {method for method, _ in calls} == RECORDED.keys() - {"apps.connections.open"}


def test_a_refusal_has_the_keys_of_a_refusal(bot: Ask) -> None:
    for method in RECORDED.keys() - {"auth.test", "api.test", "apps.connections.open", "team.info", "users.list"}:
        reply = bot(method, name="--", types="x")
        assert (strange(method, reply), reply["ok"]) == ([], False), method

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from slackmq.emulator.model import Event

Ask = Callable[..., dict[str, Any]]


def test_a_message_can_be_pinned_only_once_whoever_asks(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str]
) -> None:
    ts = post()
    assert bot("pins.add", channel=jobs, timestamp=ts) == {"ok": True}
    assert bot("pins.add", channel=jobs, timestamp=ts)["error"] == "already_pinned"
    assert you("pins.add", channel=jobs, timestamp=ts)["error"] == "already_pinned"


def test_anybody_can_unpin_once(bot: Ask, you: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    assert bot("pins.remove", channel=jobs, timestamp=ts)["error"] == "no_pin"
    bot("pins.add", channel=jobs, timestamp=ts)
    assert you("pins.remove", channel=jobs, timestamp=ts) == {"ok": True}
    assert you("pins.remove", channel=jobs, timestamp=ts)["error"] == "no_pin"
    assert bot("pins.add", channel=jobs, timestamp=ts) == {"ok": True}


def test_pins_are_listed_newest_first_with_who_and_when(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str]
) -> None:
    first, second = post("one"), post("two")
    bot("pins.add", channel=jobs, timestamp=second)
    you("pins.add", channel=jobs, timestamp=first)
    items = bot("pins.list", channel=jobs)["items"]
    assert [item["message"]["ts"] for item in items] == [first, second]
    assert items[0]["created_by"] == you("auth.test")["user_id"]
    assert items[0]["created"] == 1_700_000_000
    assert items[0]["message"]["pinned_to"] == [jobs]
    assert items[0]["message"]["permalink"].startswith("https://")


def test_history_shows_that_a_message_is_pinned(
    bot: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    ts = post()
    before = row(ts)
    bot("pins.add", channel=jobs, timestamp=ts)
    assert row(ts)["pinned_to"] == [jobs]
    assert row(ts)["pinned_info"]["pinned_by"] == before["user"]
    assert bot("conversations.history", channel=jobs)["pin_count"] == 1
    bot("pins.remove", channel=jobs, timestamp=ts)
    assert row(ts) == before


def test_pinning_posts_a_visible_notice_that_can_not_be_pinned_itself(
    bot: Ask, jobs: str, post: Callable[..., str]
) -> None:
    bot("pins.add", channel=jobs, timestamp=post())
    notice = bot("conversations.history", channel=jobs, limit=1)["messages"][0]
    assert notice["subtype"] == "pinned_item"
    assert notice["text"] == f"<@{notice['user']}> pinned a message to this channel."
    assert bot("pins.add", channel=jobs, timestamp=notice["ts"])["error"] == "not_pinnable"


def test_both_events_have_slacks_keys(bot: Ask, jobs: str, post: Callable[..., str], told: list[Event]) -> None:
    ts = post()
    bot("pins.add", channel=jobs, timestamp=ts)
    bot("pins.remove", channel=jobs, timestamp=ts)
    events = {event.inner["type"]: event.inner for event in told if event.inner["type"].startswith("pin_")}
    added = {"type", "user", "channel_id", "item", "item_user", "pin_count", "pinned_info", "event_ts"}
    assert events["pin_added"].keys() == added
    assert events["pin_removed"].keys() == added | {"has_pins"}
    assert (events["pin_added"]["pin_count"], events["pin_removed"]["has_pins"]) == (1, False)


def test_a_channel_takes_100_pins(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    errors = [bot("pins.add", channel=jobs, timestamp=post()).get("error") for _ in range(101)]
    assert errors == [*[None] * 100, "too_many_pins"]


def test_a_deleted_message_is_pinned_no_more(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    bot("pins.add", channel=jobs, timestamp=ts)
    bot("chat.delete", channel=jobs, ts=ts)
    assert bot("pins.list", channel=jobs)["items"] == []


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"timestamp": ""}, "no_item_specified"),
        ({"timestamp": "x"}, "bad_timestamp"),
        ({"timestamp": "1600000000.000000"}, "message_not_found"),
        ({"channel": ""}, "channel_not_found"),
        ({"channel": "C0NONE"}, "channel_not_found"),
    ],
)
def test_what_is_no_message_can_not_be_pinned(
    bot: Ask, jobs: str, post: Callable[..., str], args: dict[str, Any], error: str
) -> None:
    assert bot("pins.add", **{"channel": jobs, "timestamp": post(), **args})["error"] == error


def test_a_seed_can_do_without_the_notice() -> None:
    workspace = Workspace(Seed(pin_notice=False))
    caller = workspace.authorize(workspace.apply(0, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]["bot_token"])
    assert isinstance(caller, Caller)
    posted = workspace.apply(0, caller, "chat.postMessage", {"channel": "#jobs", "text": "x"}).reply
    pinned = workspace.apply(1, caller, "pins.add", {"channel": posted["channel"], "timestamp": posted["ts"]})
    assert [event.subscription for event in pinned.events] == ["pin_added"]

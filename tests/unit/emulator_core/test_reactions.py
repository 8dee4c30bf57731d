from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.emoji import standard

if TYPE_CHECKING:
    from slackmq.emulator.model import Event

Ask = Callable[..., dict[str, Any]]
CLOCKS = [f"clock{hour}{half}" for hour in range(1, 13) for half in ("", "30")]


def test_a_user_can_add_an_emoji_only_once(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    args = {"channel": jobs, "timestamp": post(), "name": "clock1"}
    assert bot("reactions.add", **args) == {"ok": True}
    assert bot("reactions.add", **args) == {"ok": False, "error": "already_reacted"}


def test_two_users_can_add_the_same_emoji(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    ts = post()
    users: list[str] = []
    for ask in (you, bot):
        assert ask("reactions.add", channel=jobs, timestamp=ts, name="eyes")["ok"]
        users.append(ask("auth.test")["user_id"])
    assert row(ts)["reactions"] == [{"name": "eyes", "users": users, "count": 2}]


def test_a_user_can_remove_only_an_own_emoji(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    args = {"channel": jobs, "timestamp": post(), "name": "x"}
    bot("reactions.add", **args)
    assert you("reactions.remove", **args)["error"] == "no_reaction"
    assert bot("reactions.remove", **args) == {"ok": True}
    assert bot("reactions.remove", **args)["error"] == "no_reaction"
    assert "reactions" not in row(args["timestamp"])


def test_both_tell_who_did_what_to_whose_message(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str], told: list[Event]
) -> None:
    ts = post()
    me, author = you("auth.test")["user_id"], bot("auth.test")["user_id"]
    for method, event in (("reactions.add", "reaction_added"), ("reactions.remove", "reaction_removed")):
        you(method, channel=jobs, timestamp=ts, name="repeat")
        inner = dict(told[-1].inner)
        assert inner.pop("event_ts") > ts
        item = {"type": "message", "channel": jobs, "ts": ts}
        assert inner == {"type": event, "user": me, "reaction": "repeat", "item": item, "item_user": author}


def test_a_row_that_was_read_does_not_change_afterwards(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    ts = post()
    bot("reactions.add", channel=jobs, timestamp=ts, name="eyes")
    read = row(ts)
    you("reactions.add", channel=jobs, timestamp=ts, name="eyes")
    assert read["reactions"][0]["count"] == len(read["reactions"][0]["users"]) == 1


def test_all_clock_faces_and_marks_are_emoji(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    names = [*CLOCKS, "white_check_mark", "x", "eyes", "pushpin", "repeat", "+1::skin-tone-3", "flag-us"]
    assert len(names) == 31
    replies = [bot("reactions.add", channel=jobs, timestamp=post(), name=name) for name in names]
    assert replies == [{"ok": True}] * 31
    assert len(standard()) > 1500


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"name": "no_such_emoji"}, "invalid_name"),
        ({"name": ":eyes:"}, "invalid_name"),
        ({"name": ""}, "invalid_name"),
        ({"timestamp": ""}, "no_item_specified"),
        ({"channel": ""}, "no_item_specified"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": "1600000000.000000"}, "message_not_found"),
        ({"channel": "C0NONE"}, "channel_not_found"),
    ],
)
def test_what_is_no_emoji_or_no_message_is_refused(
    bot: Ask, jobs: str, post: Callable[..., str], args: dict[str, Any], error: str
) -> None:
    whole = {"channel": jobs, "timestamp": post(), "name": "eyes", **args}
    assert bot("reactions.add", **whole) == {"ok": False, "error": error}
    assert bot("reactions.remove", **whole) == {"ok": False, "error": error}


def test_a_message_takes_50_different_emoji_and_23_of_one_user(
    bot: Ask, you: Ask, stranger: Ask, jobs: str, post: Callable[..., str]
) -> None:
    ts = post()
    names = [*CLOCKS, *sorted(standard().keys() - set(CLOCKS))]

    def fill(ask: Ask, some: list[str]) -> list[Any]:
        return [ask("reactions.add", channel=jobs, timestamp=ts, name=name).get("error") for name in some]

    assert fill(bot, names[:24]) == [*[None] * 23, "too_many_reactions"]
    assert fill(you, names[23:46]) == [None] * 23
    assert fill(stranger, names[46:51]) == [*[None] * 4, "too_many_emoji"]
    assert fill(stranger, names[:1]) == [None]


def test_reactions_get_shows_the_message_with_all_of_them(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    bot("reactions.add", channel=jobs, timestamp=ts, name="eyes")
    reply = bot("reactions.get", channel=jobs, timestamp=ts, full=True)
    assert (reply["type"], reply["channel"], reply["message"]["ts"]) == ("message", jobs, ts)
    assert reply["message"]["reactions"][0]["name"] == "eyes"
    assert bot("reactions.get")["error"] == "no_item_specified"


def test_a_bot_that_is_no_member_can_not_react(stranger: Ask, bot: Ask) -> None:
    reply = bot("chat.postMessage", channel="#general", text="x")
    args = {"channel": reply["channel"], "timestamp": reply["ts"], "name": "eyes"}
    assert stranger("reactions.add", **args)["error"] == "not_in_channel"

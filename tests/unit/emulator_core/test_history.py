from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def stamps(post: Callable[..., str]) -> list[str]:
    """Ten messages, oldest first."""
    return [post(str(number)) for number in range(10)]


def read(bot: Ask, jobs: str, **args: object) -> list[str]:
    return [message["ts"] for message in bot("conversations.history", channel=jobs, **args)["messages"]]


def test_history_comes_newest_first(bot: Ask, jobs: str, stamps: list[str]) -> None:
    assert read(bot, jobs) == stamps[::-1]


def test_the_edges_of_a_window_are_outside_unless_inclusive(bot: Ask, jobs: str, stamps: list[str]) -> None:
    edges = {"oldest": stamps[2], "latest": stamps[5]}
    assert read(bot, jobs, **edges) == stamps[3:5][::-1]
    assert read(bot, jobs, **edges, inclusive="1") == stamps[2:6][::-1]
    assert read(bot, jobs, **edges, inclusive=0) == stamps[3:5][::-1]


def test_an_edge_may_be_a_plain_number(bot: Ask, jobs: str, stamps: list[str]) -> None:
    assert read(bot, jobs, oldest=0) == stamps[::-1]
    assert read(bot, jobs, oldest="0", latest="1700000001") == stamps[::-1]
    assert read(bot, jobs, latest=1_699_999_999.5) == []
    assert read(bot, jobs, oldest="1800000000") == []


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"oldest": "monday"}, "invalid_ts_oldest"),
        ({"latest": "-1"}, "invalid_ts_latest"),
        ({"cursor": "???"}, "invalid_cursor"),
        ({"cursor": "bmV4dF90czpub3c="}, "invalid_cursor"),
        ({"channel": "C0NONE"}, "channel_not_found"),
        ({"channel": ""}, "channel_not_found"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(bot: Ask, jobs: str, args: dict[str, Any], error: str) -> None:
    assert bot("conversations.history", **{"channel": jobs, **args})["error"] == error


def test_cursors_lead_through_all_of_a_window_once(bot: Ask, jobs: str, stamps: list[str]) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        args = {"oldest": stamps[0], "latest": "1900000000", "limit": "4", "cursor": cursor}
        reply = bot("conversations.history", channel=jobs, **args)
        seen += [message["ts"] for message in reply["messages"]]
        if not reply["has_more"]:
            assert "response_metadata" not in reply
            break
        cursor = reply["response_metadata"]["next_cursor"]
    assert seen == stamps[:0:-1]


def test_with_oldest_alone_the_pages_go_from_the_oldest_to_the_newest(
    bot: Ask, jobs: str, stamps: list[str], post: Callable[..., str]
) -> None:
    first = bot("conversations.history", channel=jobs, oldest=stamps[0], limit=4)
    assert ([row["ts"] for row in first["messages"]], first["has_more"]) == (stamps[4:0:-1], True)
    cursor = first["response_metadata"]["next_cursor"]
    late = post("late")
    assert read(bot, jobs, oldest=stamps[0], limit=4, cursor=cursor) == stamps[8:4:-1]
    last = read(bot, jobs, oldest=stamps[7], limit=50)
    assert last == [late, stamps[9], stamps[8]]
    assert read(bot, jobs, oldest=stamps[7], limit=2, inclusive=True) == [stamps[8], stamps[7]]


def test_one_message_is_fetched_as_slacks_docs_fetch_it(bot: Ask, jobs: str, stamps: list[str]) -> None:
    for edge in (
        "oldest",
        "latest",
    ):  # "Retrieving messages": the sample for Python takes the one, the others the other
        assert read(bot, jobs, **{edge: stamps[4]}, inclusive=True, limit=1) == [stamps[4]]


def test_an_oldest_of_nothing_is_none(bot: Ask, jobs: str, stamps: list[str]) -> None:
    for nothing in (0, "0", "0.000000", ""):
        assert read(bot, jobs, oldest=nothing, limit=2) == stamps[:-3:-1]


def test_a_reply_that_is_deleted_or_posted_meanwhile_shifts_no_page(
    bot: Ask, jobs: str, post: Callable[..., str]
) -> None:
    parent = post()
    replies = [post(str(number), thread_ts=parent) for number in range(5)]
    first = bot("conversations.replies", channel=jobs, ts=parent, limit=3)
    bot("chat.delete", channel=jobs, ts=replies[0])
    late = post("late", thread_ts=parent)
    cursor = first["response_metadata"]["next_cursor"]
    rest = bot("conversations.replies", channel=jobs, ts=parent, limit=10, cursor=cursor)["messages"]
    assert [row["ts"] for row in rest] == [*replies[2:], late]


def test_a_message_that_is_posted_meanwhile_shifts_no_page(
    bot: Ask, jobs: str, stamps: list[str], post: Callable[..., str]
) -> None:
    cursor = bot("conversations.history", channel=jobs, limit=5)["response_metadata"]["next_cursor"]
    post("late")
    assert read(bot, jobs, limit=5, cursor=cursor) == stamps[4::-1]


def test_a_limit_is_100_by_default_and_999_at_most(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    for _ in range(1001):
        post()
    assert [len(read(bot, jobs, limit=limit)) for limit in ("", 0, -3, "many", 250, 5000)] == [100] * 4 + [250, 999]


def test_people_read_public_channels_and_bots_only_their_own(operator: Ask, you: Ask, stranger: Ask) -> None:
    general = operator("emulator.channels.list")["channels"][0]["id"]
    fresh = you("conversations.create", name="fresh")["channel"]["id"]
    assert you("conversations.leave", channel=fresh)["ok"]
    assert you("conversations.history", channel=fresh)["ok"]
    assert stranger("conversations.history", channel=general)["error"] == "not_in_channel"


def test_a_thread_is_read_in_pages_and_windows(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    parent = post()
    replies = [post(str(number), thread_ts=parent) for number in range(5)]

    def thread(**args: object) -> list[str]:
        reply = bot("conversations.replies", channel=jobs, ts=parent, **args)
        return [message["ts"] for message in reply["messages"]]

    assert thread(oldest=replies[1], latest=replies[3]) == [parent, replies[2]]
    assert thread(oldest=replies[1], inclusive=True) == [parent, *replies[1:]]
    first = bot("conversations.replies", channel=jobs, ts=parent, limit=2)
    assert first["has_more"]
    assert thread(limit=10, cursor=first["response_metadata"]["next_cursor"]) == replies[1:]


def test_a_thread_that_is_none_is_just_its_message(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    messages = bot("conversations.replies", channel=jobs, ts=ts)["messages"]
    assert [message["ts"] for message in messages] == [ts]
    assert bot("conversations.replies", channel=jobs, ts="1600000000.000000")["error"] == "thread_not_found"
    assert bot("conversations.replies", channel=jobs)["error"] == "invalid_arguments"

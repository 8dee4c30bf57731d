"""The old names: what `ack` and `unack` do now, and the README's example of 2019 in three copies."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import slackmq as package
from slackmq import slackmq
from slackmq.clock import SYSTEM
from slackmq.errors import MissingScope
from slackmq.integrations import classic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slackmq.testing import Workspace


class Room:
    """The channel #jobs, as the old library wants it named."""

    def __init__(self, slack: Workspace) -> None:
        self.slack = slack
        self.token, self.channel = slack.app.bot_token, slack.channel("jobs")

    def post(self, text: str = "hello", **options: Any) -> slackmq:
        return slackmq(self.token, self.channel, self.slack.post(text, channel="#jobs"), **options)

    def row(self, post: slackmq) -> dict[str, Any]:
        [row] = [row for row in self.slack.messages("#jobs") if row["ts"] == post.timestamp]
        return row

    def marks(self, post: slackmq) -> set[str]:
        return {reaction["name"] for reaction in self.row(post).get("reactions", [])}


@pytest.fixture
def room(slack_workspace: Workspace) -> Iterator[Room]:
    yield Room(slack_workspace)
    for office in list(classic._OFFICES.values()):
        office._close()
    classic._OFFICES.clear()


def until(holds: Callable[[], object], within: float = 60.0) -> None:
    never, deadline = threading.Event(), SYSTEM.monotonic() + within
    while not holds():
        assert SYSTEM.monotonic() < deadline
        never.wait(0.05)


def test_the_old_names_are_still_there() -> None:
    assert package.slackmq is classic.slackmq
    post = slackmq("xoxb-1", "C1", "1.2")
    assert (post.api_token, post.channel, post.timestamp) == ("xoxb-1", "C1", "1.2")


def test_ack_pins_and_unack_marks_done_and_takes_the_pin_off(room: Room) -> None:
    post = room.post()
    assert post.ack(emoji="wave") is True
    assert room.row(post).get("pinned_to") == [room.channel]
    assert "wave" in room.marks(post)
    assert post.unack(emoji="wave") is None
    assert "wave" not in room.marks(post)
    assert "white_check_mark" in room.marks(post)
    until(lambda: not room.row(post).get("pinned_to"))


def test_a_message_that_was_answered_is_not_ours_again(room: Room) -> None:
    post = room.post(claim="reaction")
    again = slackmq(room.token, room.channel, post.timestamp, claim="reaction", wait=False)
    assert post.ack()
    assert again.ack() is False
    post.unack()
    assert again.ack() is False
    assert post.unack() is False


DYING = """
import os, sys
from slackmq import slackmq
assert slackmq(sys.argv[1], sys.argv[2], sys.argv[3], claim="reaction").ack()
os._exit(9)
"""


def test_what_a_dead_bot_had_acked_is_told_to_whoever_asks_and_can_be_acked(room: Room) -> None:
    untouched, done, dead = room.post(claim="reaction"), room.post(claim="reaction"), room.post(claim="reaction")
    done.ack()
    done.unack()
    command = [sys.executable, "-c", DYING, room.token, room.channel, dead.timestamp]
    found = classic.left(room.token, room.channel, claim="reaction")
    told: list[slackmq] = []
    listener = threading.Thread(target=lambda: told.append(next(found)), daemon=True)
    listener.start()
    assert subprocess.run(command, check=False).returncode == 9
    listener.join(180)
    [post] = told
    assert post.timestamp == dead.timestamp
    assert post.ack()
    post.unack()
    assert "white_check_mark" in room.marks(dead)
    assert not room.marks(untouched)
    found.close()


def test_of_many_threads_one_wins_and_the_others_wait_for_its_end(room: Room) -> None:
    ts = room.post(claim="reaction").timestamp
    won: list[slackmq] = []

    def ask() -> None:
        post = slackmq(room.token, room.channel, ts, claim="reaction")
        if post.ack():
            won.append(post)
            post.unack()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(won) == 1


def test_as_a_context_manager_an_exception_is_told_in_the_thread(room: Room) -> None:
    post = room.post(claim="reaction")
    with pytest.raises(ValueError, match="no light"), post:
        raise ValueError("no light")
    assert room.slack.messages("#jobs", thread=post.timestamp)[-1]["text"] == ":x: ValueError: no light"


@pytest.mark.filterwarnings("ignore:stars")  # slack_sdk warns of what 0.1.2 could do as well
def test_an_emoji_that_does_not_exist_does_not_undo_the_claim(room: Room) -> None:
    post = room.post(claim="reaction")
    assert post.ack(emoji="no_such_emoji", stars=True) is True
    assert post.unack() is None


def test_what_slack_refuses_is_logged_and_raised_where_that_is_wanted(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = {
        "display_information": {"name": "Poor"},
        "features": {"bot_user": {"display_name": "poor"}},
        "oauth_config": {"scopes": {"bot": ["chat:write", "channels:history", "channels:read"]}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"]}, "socket_mode_enabled": True},
    }
    poor = room.slack.install(manifest, channels=["#jobs"])
    ts = room.post().timestamp
    assert slackmq(poor.bot_token, room.channel, ts, claim="reaction").ack() is False
    assert "reactions:write" in caplog.text
    with pytest.raises(MissingScope, match="reactions:write"):
        slackmq(poor.bot_token, room.channel, ts, claim="reaction", raises=True).ack()


def test_a_message_in_a_thread_is_not_ours_and_the_log_says_why(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    ts = room.slack.post("a reply", channel="#jobs", thread=room.post().timestamp)
    assert slackmq(room.token, room.channel, ts, claim="reaction").ack() is False
    assert "not in a thread" in caplog.text


def test_an_unanswered_call_and_a_429_lose_nothing(room: Room) -> None:
    post = room.post(claim="reaction")
    room.slack.arm(limited=1.0, retry_after=1, methods=["reactions.add"], times=1)
    assert post.ack() is True
    room.slack.arm(lost_answer=1.0, methods=["reactions.add"], times=1)
    assert post.unack() is None
    assert "white_check_mark" in room.marks(post)
